"""Notices to an owner, with a link that looks when opened and acts when confirmed."""

import re
from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.accounts import account as accounts
from idp.delivery import messages, outbox
from idp.delivery.messages import Message
from idp.extensions import transaction
from idp.flow import alerts, support
from idp.flow.alerts import AlertKind
from idp.options import LOCALES
from tests.support.accounts import ADDRESS, make_account
from tests.support.settings import override

NUMBER = "+41791234567"
LONG_ISSUER = "https://connexion.services-en-ligne.exemple.ch"
BY_SMS = (
    *(AlertKind.RECOVERED, AlertKind.FROZEN, AlertKind.UNFROZEN, AlertKind.PHONE_CHANGED),
    *(AlertKind.MIGRATING, AlertKind.MIGRATED, AlertKind.JOINED),
)


@pytest.fixture
def account(app):
    return accounts.by_id(make_account(phone=NUMBER))


def told(inbox):
    """Token of the newest link, once the worker has been round."""
    outbox.deliver_due("test")
    return re.search(r"/alert/([\w-]{43})", inbox.messages[-1].text)[1]


def test_looking_changes_nothing_and_confirming_freezes_once(account, inbox):
    with transaction():
        alerts.tell(account, AlertKind.PASSWORD_CHANGED)
    token, epoch = told(inbox), account.epoch
    assert alerts.find(token).kind is AlertKind.PASSWORD_CHANGED
    assert accounts.by_id(account.id).active
    alert = alerts.find(token)
    with transaction():
        assert alerts.confirm(alert)
    with transaction():
        assert not alerts.confirm(alert)
    assert alerts.find(token) is None
    frozen = accounts.by_id(account.id)
    assert (frozen.active, frozen.epoch) == (False, epoch + 1)


def test_whoever_froze_it_every_contact_is_told(account, inbox):
    with transaction():
        alerts.tell(account, AlertKind.RECOVERED)
    alert = alerts.find(told(inbox))
    with transaction():
        alerts.confirm(alert)
    inbox.clear()
    outbox.deliver_due("test")
    assert {message.to for message in inbox.messages} == {ADDRESS, NUMBER}
    assert all("bloqué" in message.text for message in inbox.messages)


def links(account, inbox, number):
    """Tokens of so many notices."""
    found = []
    for _ in range(number):
        with transaction():
            alerts.tell(account, AlertKind.NEW_BROWSER)
        found.append(told(inbox))
    return found


def test_one_link_uses_up_all_and_who_kept_another_cannot_block_the_account_again(account, inbox):
    tokens = links(account, inbox, 3)
    kept = alerts.find(tokens[2])
    with transaction():
        alerts.confirm(alerts.find(tokens[0]))
    assert [alerts.find(token) for token in tokens] == [None] * 3
    with transaction():
        assert not alerts.confirm(kept)
    with transaction():
        assert support.unfreeze(account.id, actor="admin", why="asked")
    assert accounts.by_id(account.id).active
    assert alerts.find(told(inbox)), "that it was unfrozen is news of its own"


def test_what_was_told_before_an_account_is_unfrozen_is_over_and_others_links_are_not(
    account, inbox
):
    other = accounts.by_id(make_account("autre@example.ch"))
    (theirs,) = links(other, inbox, 1)
    (old,) = links(account, inbox, 1)
    with transaction():
        assert support.freeze(account.id, actor="admin", why="asked")
    with transaction():
        assert support.unfreeze(account.id, actor="admin", why="asked")
    assert alerts.find(old) is None
    assert alerts.find(theirs)


def test_a_link_works_for_a_week(account, inbox):
    with transaction():
        alerts.tell(account, AlertKind.NEW_BROWSER)
    token = told(inbox)
    with time_machine.travel(clock.now() + timedelta(days=6, hours=23), tick=False):
        assert alerts.find(token)
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1), tick=False):
        assert alerts.find(token) is None
        with transaction():
            assert alerts.purge(10) == 1


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", AlertKind)
def test_every_notice_can_be_written_and_an_sms_is_one_segment(app, kind, locale):
    words = {
        "service": "e-services",
        "link": f"{LONG_ISSUER}/alert/{'x' * 43}",
        "chosen": "j•••@e•••.ch",
    }
    with override(app, issuer=LONG_ISSUER), app.app_context():
        mail = messages.render(Message("email", ADDRESS, f"alert-{kind}", locale, words))
        assert mail.subject
        if kind is not AlertKind.FROZEN:
            assert words["link"] in mail.text
            assert words["link"] in mail.html
        if kind in BY_SMS:
            sms = messages.render(Message("sms", NUMBER, f"alert-{kind}", locale, words))
            assert len(sms.text) <= 160
