"""The link of a notice: whoever opens it looks, whoever presses the button blocks the account."""

import re
from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.accounts import account as accounts
from idp.audit.models import AuditEvent
from idp.delivery import outbox
from idp.extensions import db, transaction
from idp.flow import alerts
from idp.flow.alerts import Alert, AlertKind
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD, Person

BLOCK = "Ce n’est pas moi : bloquer le compte"
OVER = "Ce lien ne fonctionne plus"


@pytest.fixture
def account(app):
    return make_account()


@pytest.fixture
def link(account, inbox):
    """The path in the owner's mail."""
    with transaction():
        alerts.tell(accounts.by_id(account), AlertKind.PASSWORD_CHANGED)
    outbox.deliver_due("test")
    return re.search(r"/alert/[\w-]{43}", inbox.messages[-1].text)[0]


@pytest.fixture
def owner(app, inbox, portal):
    """At a browser where nobody has signed in."""
    return Person(app, inbox, portal)


def active(account):
    db.session.expire_all()
    return accounts.by_id(account).active


def test_the_page_says_what_and_when_and_shows_the_address_masked_only(owner, link):
    owner.get(link)
    assert (owner.step, owner.page.status) == ("alert", 200)
    assert "Le mot de passe a été changé" in owner.page.text
    assert "j•••@e•••.ch" in owner.page.text
    assert str(clock.now().year) in owner.page.text
    assert ADDRESS not in owner.page.source


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_mail_scanner_that_follows_the_link_changes_nothing(app, account, link, method):
    for _ in range(3):
        scanner = app.test_client()
        assert scanner.open(link, method=method, base_url=ISSUER).status_code == 200
    assert active(account)
    assert db.session.query(Alert.used_at).scalar() is None


def test_the_button_blocks_the_account_ends_its_sessions_and_says_what_to_do(
    person, owner, account, link, inbox
):
    person.authorize().two_factors(ADDRESS)
    owner.get(link).press(BLOCK)
    assert (owner.step, owner.page.status) == ("alert-blocked", 200)
    assert "Adressez-vous à l’assistance" in owner.page.text
    assert not active(account)
    assert person.authorize(prompt="none").callback["error"] == "login_required"
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    assert person.step == "sign-in"
    outbox.deliver_due("test")
    assert "bloqué" in inbox.messages[-1].text
    event = db.session.query(AuditEvent).filter_by(event="frozen").one()
    assert (event.actor, event.details["why"]) == ("user", "alert password-changed")


def test_reloading_the_last_page_does_not_post_again(owner, link):
    owner.get(link).press(BLOCK)
    assert owner.get(owner.path).step == "alert-blocked"


def test_used_late_and_unknown_links_are_one_page(owner, link):
    unknown = owner.get(f"/alert/{'x' * 43}").page
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1), tick=True):
        late = owner.get(link).page
    owner.get(link)
    used_by = owner.page
    owner.press(BLOCK)
    used = owner.get(link).page
    assert {page.status for page in (unknown, late, used)} == {410}
    assert OVER in used.text
    assert unknown.source == late.source == used.source
    owner.page, owner.path = used_by, link
    owner.press(BLOCK)
    assert (owner.step, owner.page.status) == ("alert-over", 410)


def test_a_form_lost_leads_back_to_the_link(owner, account, link):
    owner.get(link)
    answer = owner.browser.post(link, data={"csrf_token": "junk"}, base_url=ISSUER)
    assert answer.status_code == 400
    assert link in answer.get_data(as_text=True)
    assert active(account)


def test_a_link_copied_wrongly_is_the_same_page(owner, link):
    for path in (f"{link}x", link[:-1], f"{link}/", f"{link}/x"):
        assert (owner.get(path).step, owner.page.status) == ("alert-over", 410)
    assert owner.get("/alert/").page.status == 404


def test_times_are_those_of_the_deployments_clock(owner, account, inbox):
    """Nobody who reads the page thinks in UTC."""
    with time_machine.travel("2026-07-01T22:30:00Z", tick=False):
        with transaction():
            alerts.tell(accounts.by_id(account), AlertKind.PASSWORD_CHANGED)
        outbox.deliver_due("test")
        owner.get(re.search(r"/alert/[\w-]{43}", inbox.messages[-1].text)[0])
    assert "2 juillet 2026, 00:30" in owner.page.text
