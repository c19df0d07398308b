"""Reminders to who proved a mailbox and stopped."""

import re
from typing import Any

from idp.delivery import outbox
from idp.flow import undelivered
from idp.migration import reminders
from tests.support.inbox import Inbox, Received

START = "2027-03-10T12:00:00Z"
JEANNE = "jeanne@example.ch"


def deliver(inbox: Inbox) -> list[Received]:
    """What arrives now; the inbox is empty afterwards."""
    outbox.deliver_due("test", owners=undelivered.OWNERS)
    mails = list(inbox.messages)
    inbox.clear()
    return mails


def remind(inbox: Inbox, **options: Any) -> list[Received]:
    """Write reminders; those that arrive."""
    reminders.remind(actor="os:root", **options)
    return deliver(inbox)


def link(mail: Received) -> str:
    """Where it can be stopped."""
    (found,) = re.findall(r"/reminders/[\w-]{43}", mail.text)
    return str(found)
