"""Between the page and what is recorded the session may end, or be somebody else's: it is looked at again."""

import pytest
from sqlalchemy import update

from idp.accounts import changes
from idp.accounts.account import Account
from idp.extensions import db, transaction
from idp.flow import agreeing
from idp.flow.interaction import Interaction
from idp.flow.position import locate
from idp.grants import consents
from idp.sessions import browser
from tests.support.accounts import ADDRESS, make_account
from tests.support.agreeing import come_from_others
from tests.support.proofs import begin_session
from tests.support.settings import override


@pytest.fixture
def account(app):
    return make_account()


@pytest.fixture
def asked(person, account):
    """At the page that asks; the session of it."""
    come_from_others(person)
    person.authorize(scope="openid").two_factors(ADDRESS)
    cookie = person.browser.get_cookie("seuil-session", domain="localhost")
    return cookie.value


def here():
    return locate(db.session.query(Interaction).one())


def end(token, _account):
    browser.end(token)


def new_epoch(_token, account):
    assert changes.end_everything(account, db.session.get_one(Account, account).epoch)


def freeze(_token, account):
    """With the epoch that it had: what else ends then is looked at elsewhere."""
    db.session.execute(update(Account).where(Account.id == account).values(status="frozen"))


@pytest.mark.parametrize("act", [agreeing.consent, agreeing.refuse])
@pytest.mark.parametrize("over", [end, new_epoch, freeze])
def test_a_session_that_is_over_answers_nothing(asked, account, act, over):
    session, position = browser.find(asked), here()
    with transaction():
        over(asked, account)
    assert not act(position, session)
    assert consents.agreed(account, position.client.id) == set()
    assert here().interaction.refused_at is None


@pytest.mark.parametrize("act", [agreeing.consent, agreeing.refuse])
def test_the_session_of_somebody_else_answers_nothing(asked, account, act):
    session, _token = begin_session(make_account("paul@example.ch"), "another interaction")
    position = here()
    assert not act(position, session)
    assert consents.of_account(session.account_id) == consents.of_account(account) == []
    assert here().interaction.refused_at is None


def test_another_session_of_the_same_person_accepts_no_terms_here(asked, account, app):
    session, _token = begin_session(account, "another interaction")
    with override(app, terms_version="1", terms_url="https://example.ch/"):
        assert not agreeing.accept_terms(here(), session, "1")
        assert agreeing.accept_terms(here(), browser.find(asked), "1")


def test_both_look_at_what_was_agreed_to_as_one(account, person):
    client = come_from_others(person).row_id
    for scopes in ({"openid", "email"}, {"openid", "phone"}):
        with transaction():
            consents.give(account, client, frozenset(scopes))
    assert consents.agreed(account, client) == {"openid", "email", "phone"}
    assert consents.use(account, client, frozenset({"openid", "phone"}))
    assert not consents.use(account, client, frozenset({"openid", "address"}))
    with transaction():
        assert consents.withdraw(account, client)
        assert not consents.withdraw(account, client)
    assert not consents.use(account, client, frozenset())
