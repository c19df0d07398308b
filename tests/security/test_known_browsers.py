"""Strangers cannot hold up the owner of an account, and the cookie that says so is good for nothing else."""

import hashlib
from datetime import timedelta

import pytest
import time_machine
from itsdangerous import URLSafeTimedSerializer

from idp import clock
from idp.accounts import account as accounts
from idp.accounts import changes
from idp.audit.models import AuditEvent
from idp.extensions import db, settings, transaction
from idp.web import known_browsers
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD, Person
from tests.support.settings import override

COOKIE = "seuil-known"


@pytest.fixture(autouse=True)
def now():
    """No delay ends because the machine is busy."""
    with time_machine.travel(clock.now(), tick=False) as now:
        yield now


@pytest.fixture
def account(app):
    return make_account()


@pytest.fixture
def owner(person, account):
    """The owner, who signed in once and comes again."""
    person.authorize().two_factors(ADDRESS)
    assert person.step == "callback"
    return person


@pytest.fixture
def somebody(app, inbox, portal):
    """Makes a browser at an address."""

    def make(address="192.0.2.1"):
        one = Person(app, inbox, portal)
        one.browser.environ_base["REMOTE_ADDR"] = address
        return one

    return make


def cookie(person):
    return person.browser.get_cookie(COOKIE).value


def give(person, value):
    person.browser.set_cookie(COOKIE, value, domain="localhost")
    return person


def come(person):
    """To the sign-in page, whoever was signed in."""
    return person.authorize(prompt="login")


def attack(somebody, times=30):
    """Wrong passwords from many networks, until strangers have to wait."""
    for number in range(times):
        stranger = come(somebody(f"198.51.{number}.1")).sign_in(ADDRESS, "wrong")
    assert stranger.page.status == 429


def test_strangers_hold_up_strangers_and_not_the_owner(owner, somebody):
    attack(somebody)
    assert come(somebody()).sign_in(ADDRESS, NEW_PASSWORD).page.status == 429
    assert come(owner).sign_in(ADDRESS, NEW_PASSWORD).step == "second-factor"


def test_nor_do_neighbours_in_the_owners_own_network(owner, somebody):
    owner.browser.environ_base["REMOTE_ADDR"] = "192.0.2.1"
    for _ in range(6):
        neighbour = come(somebody("192.0.2.77")).sign_in(ADDRESS, "wrong")
    assert neighbour.page.status == 429
    assert come(owner).sign_in(ADDRESS, NEW_PASSWORD).step == "second-factor"


def test_nor_does_an_attack_on_everybody(app, owner, somebody):
    with override(app, wrong_passwords_everywhere=3, wrong_passwords_network=3):
        for number in range(4):
            come(somebody()).sign_in(f"somebody{number}", "wrong")
        assert come(somebody("203.0.113.1")).sign_in(ADDRESS, NEW_PASSWORD).page.status == 429
        assert come(owner).sign_in(ADDRESS, NEW_PASSWORD).step == "second-factor"


def test_a_stolen_cookie_is_guessed_with_as_often_as_without(owner, somebody):
    stolen = cookie(owner)
    seen = []
    for number in range(30):
        thief = give(somebody(f"198.51.{number}.1"), stolen)
        seen.append(come(thief).sign_in(ADDRESS, "wrong").page.status)
    assert seen == [422] * 20 + [429] * 10
    here = give(somebody(), stolen)
    come(here)
    for _ in range(6):
        here.sign_in(ADDRESS, "wrong")
    assert here.page.status == 429


def test_a_cookie_passes_for_its_own_account_only(app, owner, somebody):
    make_account("autre@example.ch")
    for number in range(21):
        come(somebody(f"198.51.{number}.1")).sign_in("autre@example.ch", "wrong")
    assert come(owner).sign_in("autre@example.ch", NEW_PASSWORD).page.status == 429


def test_the_cookie_signs_nobody_in(owner, somebody):
    thief = give(somebody(), cookie(owner)).authorize()
    assert thief.step == "sign-in"
    assert thief.sign_in(ADDRESS, "wrong").page.status == 422
    thief.sign_in(ADDRESS, NEW_PASSWORD)
    assert thief.step == "second-factor", "the code is still asked for"


def test_the_cookie_names_nobody(owner, account):
    sub = accounts.by_id(account).sub
    value = cookie(owner)
    readable = URLSafeTimedSerializer("x").load_payload(value.split(".")[0].encode())
    assert len(readable) == 1
    assert sub not in value + readable[0]
    assert ADDRESS not in value + readable[0]
    assert len(value) < 400


def knows(app, value, account_id, name=COOKIE):
    account = accounts.by_id(account_id)
    with app.test_request_context(base_url=ISSUER, headers={"Cookie": f"{name}={value}"}):
        return known_browsers.knows(account.sub, account.epoch)


def forged(key, salt="seuil:known-browser"):
    sha256 = {"digest_method": hashlib.sha256}
    return lambda value: URLSafeTimedSerializer(key, salt=salt, signer_kwargs=sha256).dumps(
        URLSafeTimedSerializer("x").load_payload(value.split(".")[0].encode())
    )


WRONG = {
    "none": lambda _value: "",
    "nonsense": lambda _value: "%00nonsense..\x7f",
    "cut at the end": lambda value: value[:-1],
    "cut at the front": lambda value: value[1:],
    "without its signature": lambda value: value.rpartition(".")[0],
    "one letter changed": lambda value: value[:5] + ("A" if value[5] != "A" else "B") + value[6:],
    "signed with another key": forged("another key"),
    "of another deployment": forged(b"\x00" * 32),
    "very long": lambda value: value * 50,
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_cookie_that_is_not_ours_is_simply_unknown(app, owner, account, change):
    assert knows(app, cookie(owner), account)
    assert not knows(app, change(cookie(owner)), account)


def test_a_value_that_was_signed_for_something_else_is_unknown(app, owner, account):
    value = forged(app.secret_key, "another purpose")(cookie(owner))
    assert not knows(app, value, account)
    assert knows(app, forged(app.secret_key)(cookie(owner)), account), "the salt alone differs"


def test_a_cookie_is_forgotten_after_180_days(app, owner, account):
    with time_machine.travel(clock.now() + settings.known_browser_lifetime, tick=False):
        assert knows(app, cookie(owner), account)
    with time_machine.travel(clock.now() + settings.known_browser_lifetime + timedelta(seconds=2)):
        assert not knows(app, cookie(owner), account)


def test_whoever_changed_the_password_is_not_known_by_the_old_one(app, owner, account):
    with transaction():
        assert changes.set_password(account, 1, "another hash")
    assert not knows(app, cookie(owner), account)


def test_the_last_five_accounts_are_remembered(app, owner, account):
    others = [make_account(f"autre{number}@example.ch") for number in range(5)]
    for number in range(5):
        assert knows(app, cookie(owner), account)
        come(owner).two_factors(f"autre{number}@example.ch")
    assert not knows(app, cookie(owner), account)
    assert all(knows(app, cookie(owner), other) for other in others)
    come(owner).two_factors("autre3@example.ch")
    assert all(knows(app, cookie(owner), other) for other in others), "none twice"


def test_a_browser_knows_an_account_only_after_both_factors(person, account):
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    assert person.step == "second-factor"
    assert person.browser.get_cookie(COOKIE) is None
    person.press("Vérifier le code", code="000000")
    assert person.browser.get_cookie(COOKIE) is None
    person.press("Vérifier le code", code=person.code())
    assert person.browser.get_cookie(COOKIE) is not None


def test_the_first_sign_in_of_a_browser_is_told_from_the_later_ones(owner, somebody):
    come(owner).two_factors(ADDRESS)
    come(somebody()).two_factors(ADDRESS)
    events = db.session.query(AuditEvent).filter_by(event="signed_in").order_by(AuditEvent.id)
    assert [event.details["new_browser"] for event in events] == [True, False, True]
