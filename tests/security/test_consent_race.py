"""An access that is withdrawn while a code is being given out in another browser takes that code along."""

from threading import Thread

import pytest

from idp.accounts import account as accounts
from idp.extensions import db, transaction
from idp.flow import applications
from idp.flow.visit import Visit
from idp.grants import codes, consents
from idp.grants.codes import NewCode
from idp.grants.consents import Consent
from idp.grants.models import AuthorizationCode
from tests.support.accounts import make_account
from tests.support.agreeing import come_from_others
from tests.support.proofs import begin_session

SCOPES = frozenset({"openid"})


@pytest.fixture
def client(person):
    """Of others; the account agreed."""
    return come_from_others(person)


def withdraw(app, session, client_id):
    with app.app_context():
        visit = Visit(session, accounts.by_id(session.account_id), "a browser", "fr")
        applications.withdraw(visit, client_id)
        db.session.remove()


def test_no_code_outlives_the_consent_that_it_hangs_on(app, client):
    account, row = make_account(), client.row_id
    here, _ = begin_session(account, "one interaction")
    there, _ = begin_session(account, "another interaction")
    with transaction():
        consents.give(account, row, SCOPES)
    withdrawing = Thread(target=withdraw, args=(app, there, client.client_id))
    with transaction():
        assert consents.use(account, row, SCOPES)
        withdrawing.start()
        withdrawing.join(0.3)
        assert withdrawing.is_alive(), "it waits for what is being given out"
        codes.issue(here, NewCode(row, client.redirect_uri, "openid", "a sid", None, None))
    withdrawing.join(10)
    assert not withdrawing.is_alive()
    db.session.rollback()
    assert db.session.query(Consent).count() == 0
    assert db.session.query(AuthorizationCode).one().revoked_at is not None
    assert not consents.use(account, row, SCOPES)
