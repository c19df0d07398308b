"""An invitation opens what it was issued for, once, and nothing else; it signs nobody in."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from idp import clock
from idp.accounts.account import Account
from idp.audit.models import AuditEvent
from idp.challenges import budgets
from idp.challenges.challenge import Challenge
from idp.delivery.models import OutboxMessage
from idp.extensions import db, settings, transaction
from idp.flow import support
from idp.flow.interaction import Interaction
from idp.legacy.identity import LegacyIdentity
from idp.migration.invitations import Invitation, find, use
from idp.migration.models import MigrationCase
from idp.sessions.models import Authentication
from tests.support.accounts import ADDRESS, make_account
from tests.support.alike import without_random
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD
from tests.support.recovery import FORGOTTEN
from tests.support.settings import override
from tests.support.strict import (
    INVITED,
    asking_for,
    enter_invitation,
    invite,
    invite_back,
    invite_newcomer,
)
from tests.support.together import together

UNKNOWN = "ABCDE-FGHJK-MNPQR-STVWX"
BACK = "Revenir à la connexion"


@pytest.fixture(autouse=True)
def _contacts(app, tmp_path):
    with asking_for(app, tmp_path, "password"):
        yield


@pytest.fixture
def elsewhere(tmp_path):
    """A folder for another old system."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def bare(page, typed):
    look = without_random(page.source)
    return page.status, look.replace(typed, "")


def identity_here(person):
    """The identity whose case is open in the person's interaction."""
    here = db.session.get(Interaction, person.path.split("/")[2], populate_existing=True)
    case = db.session.get(MigrationCase, here.case_id)
    return db.session.get(LegacyIdentity, case.identity_id).key


def test_whatever_is_wrong_with_a_code_the_answer_is_the_same(another):
    make_account()
    replaced, used = invite("paul"), invite("jeanne")
    invite("paul")
    enter_invitation(another().authorize(), used)
    of_a_claimed_row = invite("luc")
    another().authorize().migrate("luc", PASSWORD, "luc@example.ch")
    of_a_changed_account = invite_back(ADDRESS)
    with transaction():
        support.end_sessions(1, actor="os:clerk", why="asked")
    expired = invite("rosa")
    with transaction():
        row = db.session.scalars(select(Invitation).order_by(Invitation.id.desc())).first()
        row.expires_at = clock.now()
        codes = [
            replaced,
            used,
            of_a_claimed_row,
            of_a_changed_account,
            expired,
            UNKNOWN,
            "",
            "é" * 60,
        ]
    seen = set()
    for code in codes:
        person = enter_invitation(another().authorize(), code)
        assert person.step == "invitation", code
        seen.add(bare(person.page, code))
    assert len(seen) == 1
    assert next(iter(seen))[0] == 422


def test_one_code_at_the_same_moment_in_many_browsers_acts_once(another):
    code = invite("jeanne")
    people = [another().authorize().press(INVITED) for _ in range(6)]
    together(6, lambda n: people[n].press("Continuer", invitation=code))
    assert sorted(person.step for person in people) == ["email", *["invitation"] * 5]
    events = db.session.query(AuditEvent).filter_by(event="invitation_used").count()
    assert events == 1


def test_a_code_is_kept_nowhere_in_clear(person, caplog):
    code = invite_newcomer()
    enter_invitation(person.authorize(), code)
    letters = code.replace("-", "")
    assert len(letters) == 20, "98 bits of an alphabet of 30"
    texts = [caplog.text, *(str(row.details) for row in db.session.query(AuditEvent))]
    for table in (Invitation, Interaction, Challenge, OutboxMessage, MigrationCase):
        for row in db.session.query(table):
            texts += [str(getattr(row, column.key)) for column in table.__table__.columns]
    assert not [text for text in texts if letters in text or code in text]
    issued, used = (
        db.session.query(AuditEvent).filter_by(event=f"invitation_{what}").one()
        for what in ("issued", "used")
    )
    assert issued.actor == "os:clerk"
    assert issued.details["why"] == "the person came to the counter"
    assert used.details["about"] == issued.details["about"]


def test_tries_are_counted_for_a_network_and_survive_the_browser(app, another):
    good = invite("jeanne")
    with override(app, wrong_passwords_network=3):
        for _ in range(3):
            wrong = enter_invitation(another().authorize(), UNKNOWN)
            assert wrong.page.status == 422
        late = enter_invitation(another().authorize(), good)
        assert (late.step, late.page.status) == ("invitation", 429)
    assert find(good), "and it was not even looked at"


def test_guesses_at_once_are_counted_each(app, another):
    people = [another().authorize().press(INVITED) for _ in range(8)]
    with override(app, wrong_passwords_network=3):
        together(8, lambda n: people[n].press("Continuer", invitation=UNKNOWN))
    assert sorted(person.page.status for person in people) == [*[422] * 3, *[429] * 5]


def test_an_invitation_never_opens_anothers_case(app, another, elsewhere):
    for_paul = invite("paul")
    thief = another().authorize()
    enter_invitation(thief, for_paul)
    assert identity_here(thief) == "2"
    with asking_for(app, elsewhere, "invite"):
        again = invite("paul")
        jeanne = another().authorize().sign_in("jeanne", PASSWORD)
        for code in (again, invite_newcomer()):
            jeanne.press("Continuer", invitation=code)
            assert (jeanne.step, jeanne.page.status) == ("invitation", 422)
        assert find(again), "it was not used up by somebody else's try"


def test_what_an_invitation_proved_stays_in_its_browser_and_interaction(app, another, elsewhere):
    with asking_for(app, elsewhere, "invite"):
        owner = another().authorize().sign_in("jeanne", PASSWORD)
        owner.press("Continuer", invitation=invite("jeanne"))
        assert owner.step == "email"
        # Another browser with the same old password, and the owner's own next interaction.
        assert another().authorize().sign_in("jeanne", PASSWORD).step == "invitation"
        thief = another().authorize()
        assert thief.get(owner.path).page.status == 400
        owner.authorize(prompt="login").sign_in("jeanne", PASSWORD)
        assert owner.step == "invitation"


@pytest.mark.parametrize("way", [BACK, "again"])
def test_leaving_drops_what_an_invitation_proved(person, way):
    make_account()
    enter_invitation(person.authorize(), invite_back(ADDRESS))
    if way == BACK:
        person.press(BACK)
    else:
        person.authorize(prompt="login")
    assert person.step == "sign-in"
    row = db.session.get(Interaction, person.path.split("/")[2], populate_existing=True)
    assert (row.invitation_id, row.recovery_account_id, row.invitation_asked_at) == (None,) * 3


def test_an_invitation_without_phone_helps_nobody_into_another_account(person):
    """The phone of the other account, or of the same one in an ordinary recovery, is asked for as ever."""
    make_account(phone="+41791234567")
    make_account("paul@example.ch", phone="+41791234568")
    for address in ("paul@example.ch", ADDRESS):
        enter_invitation(person.authorize(prompt="login"), invite_back(ADDRESS, without_phone=True))
        assert person.step == "new-email"
        person.press(BACK).press(FORGOTTEN).press("Recevoir le code", email=address)
        person.press("Vérifier le code", code=person.code(address))
        assert person.step == "recovery-phone-code", address


@pytest.mark.parametrize("page", ["recovery-password", "recovery-phone-code", "new-email-code"])
def test_no_step_of_coming_back_can_be_skipped(person, page):
    make_account(phone="+41791234567")
    enter_invitation(person.authorize(), invite_back(ADDRESS))
    here = f"/interaction/{person.path.split('/')[2]}"
    answer = person.post(
        f"{here}/{page}", password=NEW_PASSWORD, confirmation=NEW_PASSWORD, code="123456"
    )
    assert answer.status_code == 303
    assert person.get(here).step == "new-email"


def test_a_code_for_a_new_mailbox_proves_no_other(person, another):
    """A code is of one interaction: the attacker's own mailbox proves nothing in the victim's."""
    make_account()
    enter_invitation(person.authorize(), invite_back(ADDRESS))
    person.press("Recevoir le code", email="mine@example.ch")
    mine = person.code("mine@example.ch")
    person.press("Corriger l’adresse email").press("Recevoir le code", email="theirs@example.ch")
    person.press("Vérifier le code", code=mine)
    assert person.step == "new-email-code"
    assert person.page.status == 422


def test_whoever_stops_it_in_time_ends_it(person, inbox):
    """The alert of the issue freezes the account: what was proven so far counts no more."""
    row = make_account()
    enter_invitation(person.authorize(), invite_back(ADDRESS))
    person.press("Recevoir le code", email="mine@example.ch")
    code = person.code("mine@example.ch")
    with transaction():
        support.freeze(row, actor="os:clerk", why="not them")
    person.press("Vérifier le code", code=code)
    assert person.step == "recovery"
    assert db.session.get(Account, row, populate_existing=True).email == ADDRESS


def test_an_invitation_signs_nobody_in(person):
    make_account()
    enter_invitation(person.authorize(), invite_back(ADDRESS))
    for path in ("/account", f"/authorize/{person.path.split('/')[2]}"):
        person.browser.get(path, base_url=person.issuer)
    assert db.session.query(Authentication).count() == 0
    assert person.callback is None


def test_a_newcomers_code_makes_no_account_with_another_address(person):
    """Whoever finds the code cannot do anything with it without the mailbox it was issued for."""
    enter_invitation(person.authorize(), invite_newcomer("nora@example.ch"))
    path = person.path
    assert person.post(path, email="thief@example.ch").status_code == 422
    assert db.session.query(Challenge).count() == 0
    person.give_email("nora@example.ch")
    assert person.step == "phone"


def test_a_contact_code_is_asked_for_in_every_browser(app, another, elsewhere):
    with asking_for(app, elsewhere, "contact"):
        owner = another().authorize().sign_in("jeanne", PASSWORD)
        code = owner.code("jeanne@old.example.ch")
        thief = another().authorize().sign_in("jeanne", PASSWORD)
        thief.press("Vérifier le code", code=code)
        assert (thief.step, thief.page.status) == ("legacy-contact", 422)
        owner.press("Vérifier le code", code=code)
        assert owner.step == "email"
        assert another().authorize().sign_in("jeanne", PASSWORD).step == "legacy-contact"


def test_the_mailbox_on_record_gets_few_messages_and_nobody_is_told(another, inbox):
    """Each spelling of an old identifier has counts of its own; the mailbox behind them has one."""
    first = another().authorize().press(FORGOTTEN).press("Recevoir le code", email="jeanne")
    with transaction():
        while budgets.admit_on_record("jeanne@old.example.ch"):
            pass
    second = another().authorize().press(FORGOTTEN).press("Recevoir le code", email="jeanne")
    assert bare(second.page, "") == bare(first.page, "")
    assert second.code("jeanne@old.example.ch")
    assert len(inbox.messages) == 1
    rows = db.session.scalars(select(Challenge).order_by(Challenge.id)).all()
    assert [row.decoy for row in rows] == [False, True], "no code that was not sent is right"


def test_the_case_of_a_forgotten_password_belongs_to_the_mailbox_on_record(another):
    owner = another().authorize().press(FORGOTTEN).press("Recevoir le code", email="jeanne")
    code = owner.code("jeanne@old.example.ch")
    thief = another().authorize().press(FORGOTTEN).press("Recevoir le code", email="jeanne")
    thief.press("Vérifier le code", code=code)
    assert (thief.step, thief.page.status) == ("recovery-code", 422)
    owner.press("Vérifier le code", code=code)
    assert owner.step == "email"
    assert identity_here(owner) == "1"


def test_nothing_is_opened_before_the_mailbox_on_record_answered(another):
    another().authorize().press(FORGOTTEN).press("Recevoir le code", email="jeanne")
    assert db.session.query(MigrationCase).count() == 0


def test_an_invitation_works_for_a_week(another):
    code, start = invite("jeanne"), clock.now()
    assert settings.invitation_lifetime == timedelta(days=7)
    with time_machine.travel(start + timedelta(days=7, seconds=1), tick=False):
        assert enter_invitation(another().authorize(), code).step == "invitation"
    with time_machine.travel(start + timedelta(days=6, hours=23), tick=False):
        assert enter_invitation(another().authorize(), code).step == "email"


def test_an_invitation_that_was_looked_at_before_somebody_used_it_is_not_used_again(app):
    code = invite("jeanne")
    seen = find(code)
    with transaction():
        assert use(find(code))
    with transaction():
        assert not use(seen)
