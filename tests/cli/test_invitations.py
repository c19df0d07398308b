"""Codes that support hands out: for whom, shown once, with a reason that is kept."""

import re

import pytest

from idp.audit.models import AuditEvent
from idp.cli import clerk
from idp.cli.common import application, database_only
from idp.extensions import db, transaction
from idp.legacy import identity as identities
from idp.migration.invitations import Invitation, InvitationKind, find
from tests.cli.conftest import Shell
from tests.cli.test_support import epoch, told
from tests.cli.test_users import add
from tests.support.inbox import Inbox
from tests.support.people import LOCKED
from tests.support.strict import write_strict_store

WHY = ("--reason", "came to the counter with a passport")
CODE = re.compile(r": ((?:[2-9A-Z]{5}-){3}[2-9A-Z]{5})$", re.MULTILINE)


@pytest.fixture
def legacy(ready: Shell) -> Shell:
    """A deployment with an old system."""
    ready.set("IDP_LEGACY_SOURCES", str(write_strict_store(ready.home, "password")))
    return ready


def stored() -> Invitation:
    return db.session.query(Invitation).order_by(Invitation.id.desc()).first()


def test_the_code_of_a_migration_is_shown_once_and_the_address_on_record_told(
    legacy: Shell, inbox: Inbox
) -> None:
    inbox.clear()
    shown = legacy.ok("migration", "invite", "jeanne", *WHY)
    code = CODE.search(shown)
    assert code
    assert "portail:1" in shown
    assert "works once, until" in shown
    with application():
        found = find(code[1])
        assert found is not None
        assert (found.kind, found.email) == (InvitationKind.MIGRATION, "jeanne@old.example.ch")
        event = db.session.query(AuditEvent).filter_by(event="invitation_issued").one()
        assert (event.actor, event.details["why"]) == (clerk.actor(), WHY[1])
        assert "jeanne@" not in str(event.details)
    told()
    assert [mail.to for mail in inbox.messages] == ["jeanne@old.example.ch"]
    assert code[1] not in inbox.messages[0].text
    assert "no address is on record" in legacy.ok("migration", "invite", "rosa", *WHY)
    assert "locked in the old" not in legacy.ok("migration", "invite", "rosa", *WHY)
    assert "locked in the old" in legacy.ok("migration", "invite", LOCKED, *WHY)


def test_whoever_has_migrated_or_is_unknown_is_not_invited(legacy: Shell) -> None:
    sub = add("jeanne@example.ch")
    with application(), transaction():
        assert identities.claim(identities.meet("portail", "1").id, 1)
    assert sub in legacy.refused("migration", "invite", "jeanne", *WHY)
    assert "no old system knows" in legacy.refused("migration", "invite", "nobody", *WHY)
    assert "there are: portail" in legacy.refused(
        "migration", "invite", "paul", "--source", "other", *WHY
    )
    with database_only():
        assert db.session.query(Invitation).count() == 0
        looked = db.session.query(AuditEvent).filter_by(event="looked_at").one()
        assert "nobody" not in str(looked.details)


def test_a_newcomers_code_is_for_an_address_that_is_free(ready: Shell) -> None:
    sub = add("jeanne@example.ch")
    assert sub in ready.refused("users", "invite", "Jeanne@example.ch", *WHY)
    assert "is no address" in ready.refused("users", "invite", "jeanne", *WHY)
    assert CODE.search(ready.ok("users", "invite", "nora@example.ch", *WHY))
    with database_only():
        assert (stored().kind, stored().email) == (InvitationKind.NEWCOMER, "nora@example.ch")


def test_a_code_to_come_back_is_for_an_active_account_and_its_owner_is_told(
    ready: Shell, inbox: Inbox
) -> None:
    sub = add("jeanne@example.ch")
    inbox.clear()
    assert CODE.search(ready.ok("users", "recover", "jeanne@example.ch", "--without-phone", *WHY))
    assert epoch(sub) == 1, "nothing has changed yet"
    told()
    assert "/alert/" in inbox.messages[-1].text
    with database_only():
        assert (stored().kind, stored().without_phone) == (InvitationKind.RECOVERY, True)
        event = db.session.query(AuditEvent).filter_by(event="invitation_issued").one()
        assert (event.account, event.details["without_phone"]) == (sub, True)
    ready.ok("users", "freeze", sub, *WHY)
    assert "unfreeze it first" in ready.refused("users", "recover", sub, *WHY)


@pytest.mark.parametrize(
    "command", [("migration", "invite"), ("users", "invite"), ("users", "recover")]
)
def test_nothing_is_handed_out_without_a_reason(ready: Shell, command: tuple[str, str]) -> None:
    add("jeanne@example.ch")
    assert "--reason" in ready.refused(*command, "jeanne@example.ch", code=2)


def test_no_old_system_can_take_the_name_of_newcomers(legacy: Shell) -> None:
    listing = legacy.home / "sources.toml"
    listing.write_text(listing.read_text().replace('name = "portail"', 'name = "invitation"'))
    assert "named invitation" in legacy.refused("users", "invite", "nora@example.ch", *WHY)
