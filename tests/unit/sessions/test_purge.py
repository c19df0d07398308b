"""An authentication is the root of all that was given: it goes last, when nothing points at it."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import delete

from idp import clock
from idp.extensions import db, transaction
from idp.flow.interaction import Interaction
from idp.grants.models import AuthorizationCode, Token, TokenKind
from idp.sessions import authentication
from idp.sessions.models import Authentication, BrowserSession
from tests.support.accounts import make_account
from tests.support.proofs import begin_session


@pytest.fixture
def now():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        yield clock


def begin(address):
    """An authentication and nothing else."""
    session, _token = begin_session(make_account(address), interaction_id=address)
    with transaction():
        db.session.execute(delete(BrowserSession))
    return db.session.get_one(Authentication, session.authentication_id)


def session_of(root, _client):
    row = common(root) | {"token": "x", "expires_at": clock.now()}
    return BrowserSession(**row)


def code_of(root, client):
    row = common(root) | {"digest": "x", "client_id": client, "sid": "x", "redirect_uri": "x"}
    times = {"expires_at": clock.now(), "keep_until": clock.now()}
    return AuthorizationCode(**row, scope="openid", **times)


def token_of(root, client):
    """Its code is of another authentication, so that the token alone holds this one."""
    code = code_of(begin("other@example.ch"), client)
    row = common(root) | {"kind": TokenKind.ACCESS, "digest": "x", "client_id": client}
    return Token(**row, code=code, scope="openid", expires_at=clock.now())


def interaction_of(root, client):
    names = {"id": "x", "browser": "x", "client_id": client, "request": {}}
    return Interaction(**names, expires_at=clock.now(), authentication_id=root.id)


def common(root):
    return {
        "authentication_id": root.id,
        "account_id": root.account_id,
        "epoch": root.epoch,
    }


def purge():
    with transaction():
        return authentication.purge(100)


@pytest.mark.parametrize("child_of", [session_of, code_of, token_of, interaction_of])
def test_an_authentication_stays_as_long_as_anything_points_at_it(now, portal, child_of):
    root = begin("jeanne@example.ch")
    now.shift(timedelta(days=2))
    made = child_of(root, portal.row_id)
    with transaction():
        db.session.add(made)
    assert purge() == 0
    with transaction():
        db.session.execute(delete(type(made)))
    assert purge() == 1


def test_an_authentication_stays_for_a_day_in_any_case(app, now):
    begin("jeanne@example.ch")
    now.shift(timedelta(days=1))
    assert purge() == 0
    now.shift(timedelta(seconds=1))
    assert purge() == 1
