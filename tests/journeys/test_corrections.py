"""What support corrects, as the people see it whom it concerns."""

import pytest

from idp.accounts import account as accounts
from idp.accounts.addresses import EmailAddress
from idp.extensions import db, transaction
from idp.flow import corrections
from idp.legacy import identity as identities
from idp.migration import cases, completion
from idp.migration.completion import Lost, NewAccount
from idp.migration.invitations import Invitation
from idp.migration.models import MigrationCase
from tests.support.accounts import ADDRESS
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD
from tests.support.strict import BY, enter_invitation, invite

NO_PHONE = "Je ne souhaite pas donner mon numéro de téléphone"


def case():
    db.session.rollback()
    return db.session.query(MigrationCase).one()


def act(correction, *what):
    with transaction():
        assert correction(*what, BY)


def dispute():
    with transaction():
        cases.dispute(case().id)


def test_what_a_browser_had_shown_is_worth_nothing_after_support_reopened(person, another):
    """Whoever was stopped must not go on when the owner may."""
    thief = person.authorize().sign_in("jeanne", PASSWORD).give_email("thief@example.com")
    assert thief.step == "phone"
    dispute()
    act(corrections.reopen, case())
    assert case().email is None
    thief.press(NO_PHONE)
    assert thief.step == "sign-in"
    another().authorize().migrate("jeanne", PASSWORD, ADDRESS)
    assert accounts.by_email_key(ADDRESS)


def test_what_a_browser_had_shown_is_worth_nothing_after_a_migration_was_undone(person, another):
    waiting = another().authorize().to_profile("jeanne", PASSWORD, "waiting@example.ch")
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    act(corrections.revert, identities.find("portail", "1"))
    waiting.press("Mettre à jour le compte", password=NEW_PASSWORD, confirmation=NEW_PASSWORD)
    assert waiting.step == "sign-in"
    assert case().completed_at is None


def test_after_an_undone_migration_the_old_password_counts_again_and_the_new_one_nothing(
    person, another
):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    person.press("Se connecter à e-services").two_factors(ADDRESS)
    sub = accounts.by_email_key(ADDRESS).sub
    act(corrections.revert, identities.find("portail", "1"))
    assert person.authorize(prompt="none").callback["error"] == "login_required"
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    assert "Identifiant ou mot de passe incorrect" in person.page.text
    again = another().authorize().migrate("jeanne", PASSWORD, ADDRESS)
    again.press("Se connecter à e-services").two_factors(ADDRESS)
    assert again.callback["code"]
    assert accounts.by_email_key(ADDRESS).sub != sub


@pytest.mark.parametrize("identifier", ["CLOSED:{sub}", "closed:{sub}", ""])
def test_a_closed_account_has_no_identifier_that_can_be_typed(person, identifier):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    sub = accounts.by_email_key(ADDRESS).sub
    act(corrections.revert, identities.find("portail", "1"))
    person.authorize().sign_in(identifier.format(sub=sub), "")
    assert (person.step, person.page.status) == ("sign-in", 422)
    person.press("Mot de passe oublié ?")
    person.press("Recevoir le code", email=identifier.format(sub=sub))
    assert person.page.status < 500


def test_a_case_that_is_disputed_at_the_last_moment_makes_no_account(person):
    person.authorize().to_profile("jeanne", PASSWORD, ADDRESS)
    dispute()
    with transaction():
        lost = completion.complete(
            case(), NewAccount(EmailAddress(ADDRESS, ADDRESS), None, "", "fr")
        )
    assert lost is Lost.ALREADY_MIGRATED
    assert accounts.by_email_key(ADDRESS) is None


def test_whoever_is_under_way_when_support_gives_the_case_away_is_told(person, another):
    person.authorize().migrate("paul", PASSWORD, "paul@example.ch")
    waiting = another().authorize().to_profile("jeanne", PASSWORD, ADDRESS)
    jeanne = db.session.query(MigrationCase).filter_by(completed_at=None).one()
    act(corrections.join, jeanne, accounts.by_email_key("paul@example.ch").id)
    waiting.press("Mettre à jour le compte", password=NEW_PASSWORD, confirmation=NEW_PASSWORD)
    assert waiting.step == "sign-in"
    assert "a été arrêté" in waiting.page.text
    assert accounts.by_email_key(ADDRESS) is None


def test_codes_that_support_had_handed_out_are_worth_nothing_after_a_correction(person, another):
    """Whoever has one may be whom the correction is about."""
    code = invite("jeanne")
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    act(corrections.revert, identities.find("portail", "1"))
    stranger = enter_invitation(another().authorize(), code)
    assert (stranger.step, stranger.page.status) == ("invitation", 422)
    fresh = invite("jeanne")
    assert enter_invitation(another().authorize(), fresh).step == "email"


def test_an_invitation_is_not_used_up_by_a_case_that_is_disputed(person, another):
    code = invite("jeanne")
    person.authorize().sign_in("jeanne", PASSWORD)
    dispute()
    assert enter_invitation(another().authorize(), code).page.status == 422
    db.session.rollback()
    assert db.session.query(Invitation).one().used_at is None


def test_codes_that_were_handed_out_before_a_case_was_reopened_are_worth_nothing(person, another):
    code = invite("jeanne")
    person.authorize().sign_in("jeanne", PASSWORD)
    dispute()
    act(corrections.reopen, case())
    assert enter_invitation(another().authorize(), code).page.status == 422
