"""One account, one session, one client: what codes and tokens descend from."""

from typing import Any

import pytest
import time_machine

from idp.extensions import transaction
from idp.grants import codes
from idp.grants.codes import NewCode
from idp.grants.models import AuthorizationCode
from idp.sessions import browser
from tests.support.accounts import make_account
from tests.support.proofs import begin_session


@pytest.fixture
def now():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        yield clock


@pytest.fixture
def account(app, now) -> int:
    return make_account()


@pytest.fixture
def new_code(account, portal):
    """Issue a code to the portal; its value."""
    session, _token = begin_session(account)

    def issue(**changes: Any) -> str:
        values = {
            "client_id": portal.row_id,
            "redirect_uri": portal.redirect_uri,
            "scope": "openid offline_access",
            "nonce": None,
            "code_challenge": None,
        }
        with transaction():
            values["sid"] = browser.client_sid(session, portal.row_id)
            return codes.issue(session, NewCode(**(values | changes)))

    return issue


@pytest.fixture
def find_code(portal):
    """Look a code up as the portal would."""

    def find(value: str) -> AuthorizationCode:
        code = codes.find(value, portal.row_id)
        assert code is not None
        return code

    return find
