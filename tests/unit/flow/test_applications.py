"""Between the page of applications and what is withdrawn the session may end."""

import pytest

from idp.extensions import transaction
from idp.flow import applications, visit
from idp.flow.visit import VisitOverError
from idp.grants import consents
from idp.sessions import browser
from tests.support.accounts import make_account
from tests.support.proofs import begin_session

AGREED = frozenset({"openid", "email"})


def test_a_session_that_is_over_withdraws_nothing(app, portal):
    _session, token = begin_session(make_account())
    here = visit.find(token, "a browser", "fr")
    with transaction():
        consents.give(here.account.id, portal.row_id, AGREED)
        browser.end(token)
    with pytest.raises(VisitOverError):
        applications.withdraw(here, portal.client_id)
    assert consents.agreed(here.account.id, portal.row_id) == AGREED
