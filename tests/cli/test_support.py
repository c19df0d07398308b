"""What support does to an account: in the operator's name, with a reason, and the owner is told."""

import pytest

from idp.accounts import account as accounts
from idp.audit.models import AuditEvent
from idp.cli import clerk
from idp.cli.common import application, database_only
from idp.delivery import outbox
from idp.extensions import db
from tests.cli.conftest import Shell
from tests.cli.test_users import add
from tests.support.inbox import Inbox

WHY = ("--reason", "the owner called, ticket 12")


def epoch(sub: str) -> int:
    with database_only():
        account = accounts.by_sub(sub)
        assert account
        return account.epoch


def told() -> None:
    with application():
        outbox.deliver_due("test")


def event(kind: str) -> AuditEvent:
    with database_only():
        return db.session.query(AuditEvent).filter_by(event=kind).one()


def test_an_account_is_frozen_and_unfrozen_and_its_owner_told(ready: Shell, inbox: Inbox) -> None:
    inbox.clear()
    sub = add("jeanne@example.ch")
    assert sub in ready.ok("users", "freeze", "Jeanne@example.ch", *WHY)
    assert ready.json("users", "show", sub)["status"] == "frozen"
    told()
    assert "bloqué" in inbox.messages[-1].text
    frozen = event("frozen")
    assert (frozen.account, frozen.actor) == (sub, clerk.actor())
    assert frozen.details == {"why": "the owner called, ticket 12"}

    assert sub in ready.ok("users", "unfreeze", sub, *WHY)
    assert ready.json("users", "show", sub)["status"] == "active"
    told()
    assert "rétabli" in inbox.messages[-1].text
    assert event("unfrozen").actor == clerk.actor()
    assert epoch(sub) == 3, "both ended what was given out"


@pytest.mark.parametrize("command", ["freeze", "unfreeze", "end-sessions"])
def test_a_reason_must_be_written(ready: Shell, command: str) -> None:
    sub = add("jeanne@example.ch")
    said = ready.refused("users", command, sub, "--reason", " ", code=2)
    assert "write a reason" in said
    assert epoch(sub) == 1


def test_sessions_are_ended_without_touching_the_account(ready: Shell) -> None:
    sub = add("jeanne@example.ch")
    ready.ok("users", "end-sessions", sub, *WHY)
    assert epoch(sub) == 2
    assert ready.json("users", "show", sub)["status"] == "active"
    assert event("sessions_ended").actor == clerk.actor()


def test_what_is_so_already_is_one_line_and_no_event(ready: Shell) -> None:
    sub = add("jeanne@example.ch")
    assert "is not frozen" in ready.refused("users", "unfreeze", sub, *WHY)
    ready.ok("users", "freeze", sub, *WHY)
    assert "is frozen already" in ready.refused("users", "freeze", sub, *WHY)
    event("frozen")


@pytest.mark.parametrize("command", ["freeze", "unfreeze", "end-sessions"])
def test_nothing_is_done_without_a_reason_or_to_nobody(ready: Shell, command: str) -> None:
    sub = add("jeanne@example.ch")
    assert "--reason" in ready.refused("users", command, sub, code=2)
    assert "nobody" in ready.refused("users", command, "nobody", *WHY)
    assert epoch(sub) == 1
