"""A code that stands for an old password cannot be guessed, however long somebody tries."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from tests.support.people import PASSWORD
from tests.support.recovery import ask, wrong_code
from tests.support.settings import override
from tests.support.strict import asking_for

OLD = "jeanne@old.example.ch"
VERIFY = "Vérifier le code"


@pytest.fixture(params=["password", "contact"])
def begin(app, tmp_path, request):
    """How somebody comes to the page that waits for a code to the contact on record."""

    def signing_in(person):
        return person.authorize(prompt="login").sign_in("jeanne", PASSWORD)

    def forgetting(person):
        return ask(person, "jeanne")

    with asking_for(app, tmp_path, request.param), override(app, code_tries_in_a_row=7):
        yield signing_in if request.param == "contact" else forgetting


def guess(person, times):
    """Wrong codes in a row, and what the page said of the last."""
    for _ in range(times):
        person.press(VERIFY, code=wrong_code(person))
        assert person.page.status == 422
    return person.page.text


def test_after_many_wrong_codes_in_a_row_none_is_right_and_nobody_is_told(begin, person):
    with time_machine.travel(clock.now(), tick=False) as now:
        begin(person)
        guess(person, 5)
        now.shift(timedelta(minutes=16))
        begin(person)
        wrong = guess(person, 2)
        person.press(VERIFY, code=person.code(OLD))
        assert (person.page.status, person.page.text) == (422, wrong)
        # Not for a while, but until somebody who has a right to has looked.
        now.shift(timedelta(days=40))
        begin(person).press(VERIFY, code=person.code(OLD))
        assert person.page.status == 422


def test_a_right_code_ends_the_row(begin, person):
    with time_machine.travel(clock.now(), tick=False) as now:
        for _ in range(2):
            begin(person)
            guess(person, 4)
            assert person.press(VERIFY, code=person.code(OLD)).step == "email"
            now.shift(timedelta(minutes=16))
