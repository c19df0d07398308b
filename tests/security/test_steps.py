"""No step skipped, replayed, moved to another browser, or mixed between two accounts."""

import pytest
from sqlalchemy import update

from idp.accounts.account import Account
from idp.extensions import db, transaction
from idp.sessions.models import Authentication
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD, Person
from tests.support.people import PASSWORD

OTHER = "paul@example.ch"


def authentications():
    return db.session.query(Authentication).count()


def second_factor(person, address=ADDRESS):
    person.authorize().sign_in(address, NEW_PASSWORD)
    assert person.step == "second-factor"
    return person


def test_the_password_alone_gives_nothing(person):
    make_account()
    second_factor(person)
    interaction = person.path.split("/")[2]
    answer = person.browser.get(f"/authorize/{interaction}", base_url=ISSUER)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/interaction/{interaction}"
    person.authorize()
    assert person.step == "sign-in"
    assert person.callback is None


def test_a_code_typed_in_another_browser_is_refused_there(person, another):
    make_account()
    code = second_factor(person).code()
    thief = second_factor(another())
    thief_code = thief.code()
    assert thief_code != code
    thief.press("Vérifier le code", code=code)
    assert (thief.step, authentications()) == ("second-factor", 0)
    person.press("Vérifier le code", code=code)
    assert person.step == "callback"


def test_a_code_of_one_interaction_does_not_serve_another_of_the_same_browser(person):
    make_account()
    first = second_factor(person).code()
    second = second_factor(person).code()
    assert first != second
    person.press("Vérifier le code", code=first)
    assert (person.step, authentications()) == ("second-factor", 0)


def test_accounts_swapped_between_the_factors_by_a_second_tab(person):
    """Tab one asks a code for Jeanne; tab two signs Paul in; Jeanne's code is worth nothing now."""
    make_account()
    make_account(OTHER)
    jeannes = second_factor(person).code(ADDRESS)
    tab = Person(person.app, person.inbox, person.client)
    tab.browser = person.browser
    tab.get(person.path).press("Ce n’est pas vous ? Changer d’identifiant")
    tab.sign_in(OTHER, NEW_PASSWORD)
    assert tab.step == "second-factor"

    person.press("Vérifier le code", code=jeannes)
    assert (person.step, authentications()) == ("second-factor", 0)
    tab.press("Vérifier le code", code=tab.code(OTHER))
    assert tab.step == "callback"
    owner = db.session.query(Authentication.account_id).one()[0]
    assert db.session.get_one(Account, owner).email == OTHER


def test_a_mailbox_code_is_no_second_factor(person):
    make_account()
    second_factor(person)
    asked = person.path
    person.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=OTHER)
    mailbox = person.code(OTHER)
    person.get(asked).press("Vérifier le code", code=mailbox)
    assert (person.step, authentications()) == ("second-factor", 0)


def test_a_used_code_opens_nothing_a_second_time(person, another):
    make_account()
    code = second_factor(person).code()
    form = person.page.forms[0].fields | {"code": code}
    path = person.path
    person.press("Vérifier le code", code=code)
    answer = person.browser.post(path, data=form, base_url=ISSUER)
    assert (answer.status_code, authentications()) == (303, 1)
    assert "Set-Cookie" not in answer.headers
    thief = second_factor(another())
    thief.press("Vérifier le code", code=code)
    assert (thief.step, authentications()) == ("second-factor", 1)


@pytest.mark.parametrize("page", ["", "/second-factor", "/email", "/profile", "/done"])
def test_an_interaction_opened_in_another_browser_is_an_error_and_tells_nothing(
    person, another, page
):
    make_account()
    second_factor(person)
    thief = another().authorize()
    thief.get(f"/interaction/{person.path.split('/')[2]}{page}")
    assert (thief.step, thief.page.status) == ("error", 400)
    assert "jeanne" not in thief.page.source


def test_posting_into_another_browsers_interaction_changes_nothing(person, another):
    make_account()
    code = second_factor(person).code()
    thief = another().authorize()
    assert thief.post(person.path, code=code).status_code == 400
    assert authentications() == 0
    assert person.get(person.path).step == "second-factor"


@pytest.mark.parametrize("change", [{"epoch": Account.epoch + 1}, {"status": "frozen"}])
def test_what_changes_the_account_between_the_factors_kills_the_first(person, change):
    row = make_account()
    code = second_factor(person).code()
    with transaction():
        db.session.execute(update(Account).where(Account.id == row).values(**change))
    person.press("Vérifier le code", code=code)
    assert (person.step, authentications()) == ("sign-in", 0)
    assert person.callback is None


def test_an_answered_interaction_gives_no_second_code_once_signed_out(person):
    make_account()
    second_factor(person)
    path = person.path
    person.press("Vérifier le code", code=person.code())
    person.browser.delete_cookie("seuil-session", domain="localhost")
    person.callback = None
    person.get(path)
    assert (person.step, person.callback) == ("sign-in", None)
