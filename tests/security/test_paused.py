"""While the campaign is paused, not yet open or closed, nothing tells whether a row or an account exists."""

import re
from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.extensions import transaction
from idp.legacy.registry import Sources
from idp.migration import campaign
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD
from tests.support.people import LOCKED, MUST_CHANGE, PASSWORD
from tests.support.statements import counted

TRIES = {
    "nobody": ("nobody", PASSWORD),
    "nobody's address": ("nobody@example.ch", PASSWORD),
    "an old identifier, right password": ("jeanne", PASSWORD),
    "an old identifier, wrong password": ("jeanne", "wrong"),
    "a locked row, right password": (LOCKED, PASSWORD),
    "a row that must change, right password": (MUST_CHANGE, PASSWORD),
    "an account, wrong password": (ADDRESS, "wrong"),
    "no password": ("jeanne", ""),
}
SUSPENDED = "Les premières connexions avec un ancien identifiant sont suspendues"


class Untouchable:
    """A source that must not even be looked at."""

    def __init__(self, options):
        self.options = options

    def authenticate(self, *_arguments):
        raise AssertionError("asked")

    def problem(self):
        raise AssertionError("looked at")


@pytest.fixture
def dated(app):
    """Replaces the sources' dates; none of them may be asked."""
    kept = app.extensions["seuil.legacy"]

    def with_dates(**dates):
        app.extensions["seuil.legacy"] = Sources(
            [Untouchable(one.options.model_copy(update=dates)) for one in kept.sources]
        )

    yield with_dates
    app.extensions["seuil.legacy"] = kept


def pause(source=campaign.WHOLE_DOOR, **details):
    with transaction():
        campaign.pause(source, reason="moving house", actor="os:root", **details)


def look(person, identifier, password):
    """Status and page of one try, without what was typed and what is random anyway."""
    person.sign_in(identifier, password)
    text = re.sub(r'(value=")[^"]*|/interaction/[\w-]+', "", person.page.source)
    return person.page.status, text.replace(identifier, "")


def test_everybody_is_answered_alike_and_no_old_system_is_asked(person, dated):
    make_account()
    dated()
    pause()
    person.authorize()
    looks = {look(person, *one) for one in TRIES.values()}
    assert len(looks) == 1
    ((status, text),) = looks
    assert status == 422
    assert SUSPENDED in text
    assert "incorrect" not in text, "it may well be right"


def test_it_costs_the_same_statements_whether_the_row_exists(person, dated):
    dated()
    pause()
    costs = []
    for identifier in ("jeanne", "nobody"):
        person.authorize(prompt="login")
        with counted() as statements:
            person.post(person.path, identifier=identifier, password=PASSWORD)
        costs.append(statements)
    assert costs[0] == costs[1]


def test_a_pause_of_one_source_is_said_to_everybody(person, app):
    """Here it is the only one; the reason is nobody's business."""
    make_account()
    pause("portail")
    person.authorize()
    assert len({look(person, *one) for one in TRIES.values()}) == 1
    assert "moving house" not in person.page.source


def test_a_source_that_was_closed_and_switched_off_holds_up_and_worries_nobody(app, person, dated):
    """The other one is asked; nobody is told that an old system may be silent."""
    kept = app.extensions["seuil.legacy"].sources
    dated(name="old", closes=clock.now().date() - timedelta(days=2))
    gone = app.extensions["seuil.legacy"].sources
    app.extensions["seuil.legacy"] = Sources([*gone, *kept])
    person.authorize().sign_in("jeanne", "wrong")
    assert "ne soit pas accepté en ce moment" in person.page.text
    assert "ne réponde pas" not in person.page.text
    assert person.sign_in("jeanne", PASSWORD).step == "email"


@pytest.mark.parametrize("source", [campaign.WHOLE_DOOR, "portail"])
def test_the_page_says_so_before_anybody_types_and_accounts_sign_in_as_ever(person, source):
    make_account()
    with time_machine.travel("2027-03-09T12:00:00Z", tick=False):
        pause(source, until=clock.now() + timedelta(days=1))
        person.authorize()
        assert f"{SUSPENDED} jusqu’au 10 mars 2027, 13:00" in person.page.text
        assert "Saisissez votre ancien identifiant" not in person.page.text
        person.two_factors(ADDRESS, NEW_PASSWORD)
        assert person.step == "callback"


def test_resuming_counts_at_once(person):
    pause()
    person.authorize().sign_in("jeanne", PASSWORD)
    assert person.step == "sign-in"
    with transaction():
        assert campaign.resume(campaign.WHOLE_DOOR, reason="moved", actor="os:root")
    assert person.sign_in("jeanne", PASSWORD).step == "email"


def test_whoever_has_begun_goes_on(person):
    person.authorize().sign_in("jeanne", PASSWORD)
    pause()
    person.press("Recevoir le code", email="jeanne@example.ch")
    assert person.step == "email-code"


def test_before_the_first_day_the_page_says_from_when(person, dated):
    dated(opens=clock.now().date() + timedelta(days=40))
    make_account()
    person.authorize()
    assert "Les anciens identifiants seront acceptés ici dès le" in person.page.text
    assert len({look(person, *one) for one in TRIES.values()}) == 1
    assert "seront acceptés ici dès le" in person.page.text


def test_after_the_last_day_the_page_says_what_to_do(person, dated):
    dated(closes=clock.now().date() - timedelta(days=40))
    make_account()
    person.authorize()
    assert "adressez-vous à l’assistance : elle vous aidera" in person.page.text
    assert len({look(person, *one) for one in TRIES.values()}) == 1


def test_whoever_has_just_migrated_reads_nothing_of_old_identifiers(person):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    pause()
    person.press("Se connecter à e-services")
    assert person.step == "sign-in"
    assert SUSPENDED not in person.page.text
