"""The list of applications that have access, on the pages of one's own account, and taking it back."""

import pytest

from idp.audit.models import AuditEvent
from idp.clients import manage
from idp.extensions import db, transaction
from idp.grants.consents import Consent
from tests.support.accounts import ADDRESS, make_account
from tests.support.agreeing import YES, come_from_others
from tests.support.journey import ISSUER
from tests.support.tokens import redeem, refresh, userinfo

WITHDRAW = "Retirer l’accès"


@pytest.fixture
def tokens(person):
    """Of an application of others that stays signed in."""
    make_account()
    come_from_others(
        person,
        client_name="Archives",
        localized={"client_name#en": "State archive", "client_name#de": "Staatsarchiv"},
    )
    person.authorize(scope="openid email offline_access", prompt="consent").two_factors(ADDRESS)
    return redeem(person.press(YES))


def test_it_says_which_since_when_and_what_for(person, tokens):
    person.get("/account/applications")
    for words in ("Archives", "Accès depuis", "connaître votre adresse email", "en votre absence"):
        assert words in person.page.text
    assert "numéro" not in person.page.text
    english = {"Accept-Language": "en"}
    page = person.browser.get(person.path, base_url=ISSUER, headers=english)
    assert "State archive" in page.get_data(as_text=True)


def test_an_access_that_is_withdrawn_is_over_at_once(person, tokens):
    person.authorize(scope="openid email")
    code = person.callback
    person.get("/account/applications").press(WITHDRAW)
    assert "L’accès est retiré" in person.page.text
    assert "aucune application" in person.page.text
    assert userinfo(person, tokens["access_token"]).status_code == 401
    assert refresh(person, tokens["refresh_token"]).status_code == 400
    person.callback = code
    assert person.authorize(scope="openid email").step == "consent"


def test_a_client_of_the_house_is_listed_while_its_tokens_work(person, portal, tokens):
    person.client = portal
    redeem(person.authorize(scope="openid email"))
    person.get("/account/applications")
    assert "e-services" in person.page.text
    assert person.page.text.count(WITHDRAW) == 2
    token = person.page.forms[0].fields["csrf_token"]
    fields = {"csrf_token": token, "client_id": portal.client_id}
    person.browser.post("/account/applications/withdraw", data=fields, base_url=ISSUER)
    assert person.get("/account/applications").page.text.count(WITHDRAW) == 1
    assert "Archives" in person.page.text
    assert person.authorize(scope="openid email").callback["code"], "it asks nobody"


def test_what_others_gave_stays(person, another, tokens):
    make_account("paul@example.ch")
    paul = another()
    paul.client = person.client
    paul.authorize(scope="openid email").two_factors("paul@example.ch")
    theirs = redeem(paul.press(YES))
    person.get("/account/applications").press(WITHDRAW)
    assert userinfo(paul, theirs["access_token"]).status_code == 200
    assert db.session.query(Consent).count() == 1


@pytest.mark.parametrize("client_id", ["", "nobody", ":account"])
def test_what_is_no_application_is_no_error(person, tokens, client_id):
    person.get("/account/applications")
    answer = person.post("/account/applications/withdraw", client_id=client_id)
    assert answer.status_code == 303
    assert userinfo(person, tokens["access_token"]).status_code == 200


def test_where_there_is_nothing_nothing_is_said_to_be_withdrawn(person, tokens, portal):
    person.get("/account/applications")
    post = ("/account/applications/withdraw",)
    answer = person.post(*post, client_id=portal.client_id)
    assert answer.headers["Location"].endswith("withdrawn=0")
    assert db.session.query(AuditEvent).filter_by(event="access_withdrawn").count() == 0
    answer = person.post(*post, client_id=person.client.client_id)
    assert answer.headers["Location"].endswith("withdrawn=1")


def test_a_session_that_is_not_fresh_withdraws_nothing(person, another, tokens):
    stranger = another()
    stranger.authorize()
    answer = stranger.post("/account/applications/withdraw", client_id=person.client.client_id)
    assert answer.headers["Location"].startswith("/interaction/")
    assert userinfo(person, tokens["access_token"]).status_code == 200


def test_a_closed_registration_takes_its_consents_along(person, tokens):
    with transaction():
        manage.remove(person.client.client_id)
    assert db.session.query(Consent).count() == 0
    assert "aucune application" in person.get("/account/applications").page.text
