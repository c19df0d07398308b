"""Logout tokens on their way (OpenID Connect Back-Channel Logout 1.0): told again, given up, by whom."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.accounts.account import Account
from idp.extensions import db, transaction
from idp.oidc import backchannel
from idp.sessions.logout_notices import LogoutNotice
from idp.worker import Worker
from tests.support.agreeing import change_client
from tests.support.logouts import end_everything, read, sign_in, tell, waiting
from tests.support.portal import PORTAL, register
from tests.support.receiver import receiving
from tests.support.settings import override
from tests.support.signing import make_key, publishing

pytestmark = pytest.mark.usefixtures("near")


@pytest.mark.parametrize("status", [400, 500, 302])
def test_what_was_not_taken_is_told_again_and_again_for_a_day(person, account, receiver, status):
    receiver.status = status
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as now:
        sign_in(person)
        person.get("/logout").press("Se déconnecter")
        assert tell() == 1
        assert tell() == 0
        for seconds in (5, 10, 20):
            backchannel._silent.clear()
            now.shift(timedelta(seconds=seconds - 1))
            assert tell() == 0, "not yet"
            now.shift(timedelta(seconds=1))
            assert tell() == 1
        tokens = [read(form).claims for form in receiver.forms]
        assert len({claims["jti"] for claims in tokens}) == 4
        assert len({claims["sid"] for claims in tokens}) == 1
        backchannel._silent.clear()
        receiver.status = 204
        now.shift(timedelta(hours=1))
        assert tell() == 1
        assert waiting() == 0


def test_after_a_day_it_is_given_up(person, account, receiver):
    receiver.status = 500
    sign_in(person)
    person.get("/logout").press("Se déconnecter")
    tell()
    backchannel._silent.clear()
    with time_machine.travel(clock.now() + timedelta(days=1, seconds=1), tick=False):
        assert tell() == 0


def test_a_client_that_is_silent_keeps_no_other_waiting(person, another, account, receiver):
    receiver.status = 500
    with receiving() as there:
        quick = replace(PORTAL, client_name="Archives", backchannel_logout_uri=there.url)
        other = another()
        for one in (person, another()):
            sign_in(one)
        other.client = register(quick)
        sign_in(other)
        with transaction():
            end_everything(db.session.get_one(Account, account))
        assert tell() == 2, "the silent one once, and the other"
        assert len(receiver.forms) == 1
        assert len(there.forms) == 1


def test_a_client_at_which_we_stumble_keeps_no_other_waiting(
    person, another, account, receiver, monkeypatch
):
    for one in (person, another()):
        sign_in(one)
        one.get("/logout").press("Se déconnecter")
    stumbled = []

    def stumble(*_arguments):
        stumbled.append(1)
        raise RuntimeError("a bug")

    monkeypatch.setattr(backchannel, "logout_token", stumble)
    with pytest.raises(RuntimeError):
        backchannel.tell_next()
    assert backchannel.tell_next() is None
    assert (len(stumbled), waiting()) == (1, 2)


def test_two_workers_tell_of_a_session_once(person, account, receiver, app):
    sign_in(person)
    person.get("/logout").press("Se déconnecter")
    first = backchannel.logout_notices.lease(frozenset())
    assert first
    assert backchannel.logout_notices.lease(frozenset()) is None
    with time_machine.travel(clock.now() + timedelta(seconds=61), tick=False):
        again = backchannel.logout_notices.lease(frozenset())
        assert again
        with transaction():
            backchannel.logout_notices.postpone(first)
        assert db.session.get_one(LogoutNotice, again.id).due_at == again.until, (
            "the lease was lost"
        )


def test_the_neighbourhood_is_not_told_where_that_is_not_allowed(person, account, receiver, app):
    sign_in(person)
    person.get("/logout").press("Se déconnecter")
    with override(app, client_networks=()):
        assert tell() == 1
    assert receiver.forms == []
    assert waiting() == 1


@pytest.mark.parametrize("alg", ["", "RSA-OAEP"])
def test_its_keys_are_asked_for_only_where_something_is_encrypted(person, account, receiver, alg):
    sign_in(person)
    with publishing(make_key("RS256")) as keys:
        change_client(person, jwks_uri=keys.url, id_token_encrypted_response_alg=alg)
        person.get("/logout").press("Se déconnecter")
        assert tell() == 1
        assert (keys.asked, len(receiver.forms)) == (1 if alg else 0, 1)


def test_the_worker_does_it_by_itself(person, account, receiver, app):
    sign_in(person)
    person.get("/logout").press("Se déconnecter")
    worker = Worker(app)
    worker.start()
    try:
        for _ in range(100):
            if receiver.forms:
                break
            worker._stopping.wait(0.1)
    finally:
        worker.stop()
    assert len(receiver.forms) == 1
