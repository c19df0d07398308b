"""Initial access tokens: what was found a moment ago may be used up, or over, when it is used."""

from datetime import timedelta

import time_machine
from flask import Flask

from idp import clock
from idp.clients import registration_tokens
from idp.clients.registration_tokens import Usable
from idp.extensions import transaction

HOUR = timedelta(hours=1)


def issue(uses: int) -> int:
    with transaction():
        row, value = registration_tokens.issue("tests", uses=uses, lives=HOUR, actor="os:tests")
        number = row.id
    assert registration_tokens.find(value) == Usable(number, require_pkce=True)
    return number


def use(number: int) -> bool:
    with transaction():
        return registration_tokens.use(number)


def test_whoever_found_it_before_the_last_use_comes_too_late(app: Flask) -> None:
    number = issue(uses=2)
    assert [use(number) for _ in range(3)] == [True, True, False]


def test_whoever_found_it_before_its_end_comes_too_late(app: Flask) -> None:
    number = issue(uses=2)
    with time_machine.travel(clock.now() + HOUR, tick=False):
        assert not use(number)
