"""Wrong tries stay counted: over a resend, a new challenge, a tab, a browser, a restart."""

from contextlib import ExitStack
from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.extensions import settings
from tests.support.accounts import ADDRESS, make_account
from tests.support.applications import running
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.people import PASSWORD


def guess(person, times):
    """Wrong codes of the right form; never the right one."""
    right = person.code()
    for number in range(times):
        wrong = f"{(int(right) + 1 + number) % 10**6:06}"
        person.press("Vérifier le code", code=wrong)
    return right


def exhausted(person, right):
    """True when even the right code is refused for too many tries."""
    person.press("Vérifier le code", code=right)
    return "Trop de codes faux" in person.page.text


@pytest.fixture
def account(app):
    return make_account(phone="+41791234567")


@pytest.fixture
def waiting(person, account):
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    assert person.step == "second-factor"
    return person


def resend(person):
    time = clock.now() + settings.resend_after
    with time_machine.travel(time, tick=True):
        person.press("Envoyer le code à nouveau")
    return person


def other_channel(person):
    return person.press("Recevoir le code par email")


def sign_in_again(person):
    time = clock.now() + settings.resend_after
    with time_machine.travel(time, tick=True):
        person.press("Ce n’est pas vous ? Changer d’identifiant")
        return person.sign_in(ADDRESS, NEW_PASSWORD)


def second_tab(person):
    return person.authorize().sign_in(ADDRESS, NEW_PASSWORD)


def another_browser(person):
    fresh = Person(person.app, person.inbox, person.client)
    return fresh.authorize().sign_in(ADDRESS, NEW_PASSWORD)


STARTED = ExitStack()


@pytest.fixture(autouse=True)
def stopped():
    """Close what the restarted providers hold."""
    with STARTED:
        yield


def restart(person):
    """The same browser on a provider that was just started."""
    app = STARTED.enter_context(running(person.app.extensions["seuil.settings"]))
    jar = {cookie.key: cookie.value for cookie in person.browser._cookies.values()}
    person.app, person.browser = app, app.test_client()
    for name, value in jar.items():
        person.browser.set_cookie(name, value, domain="localhost")
    return person


WAYS = [resend, other_channel, sign_in_again, second_tab, another_browser, restart]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_five_tries_are_five_whatever_comes_between(waiting, way):
    guess(waiting, 3)
    after = way(waiting)
    assert after.step == "second-factor"
    right = guess(after, 2)
    assert exhausted(after, right)


@pytest.mark.parametrize("way", [second_tab, another_browser], ids=lambda way: way.__name__)
def test_tries_at_a_case_belong_to_the_case(person, way):
    person.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=ADDRESS)
    guess(person, 5)
    browser = person if way is second_tab else Person(person.app, person.inbox, person.client)
    browser.authorize().sign_in("jeanne", PASSWORD)
    browser.press("Recevoir le code", email="nouvelle@example.ch")
    assert exhausted(browser, browser.code("nouvelle@example.ch"))


def test_a_right_code_gives_the_tries_back_at_once(waiting):
    with time_machine.travel(clock.now(), tick=False):
        for _ in range(3):
            right = guess(waiting, 4)
            waiting.press("Vérifier le code", code=right)
            assert waiting.step == "callback"
            waiting = another_browser(waiting)


def test_time_gives_the_tries_back(waiting):
    again = another_browser(waiting)
    assert exhausted(again, guess(again, 5))
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=True):
        again.press("Envoyer le code à nouveau")
        again.press("Vérifier le code", code=again.code())
    assert again.step == "callback"


def test_wrong_passwords_stay_counted_over_browsers_and_restarts(person, account):
    for number in range(3):
        person.authorize().sign_in(ADDRESS, f"wrong {number}")
    restart(person)
    for number in range(2):
        another = Person(person.app, person.inbox, person.client).authorize()
        another.sign_in(ADDRESS, f"also wrong {number}")
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    assert person.page.status == 429


def test_a_hundred_wrong_codes_in_a_row_need_recovery_however_slowly(waiting):
    """Five every six hours for days: each one allowed, together too many."""
    now = clock.now()
    for turn in range(20):
        with time_machine.travel(now + timedelta(hours=6 * turn), tick=True):
            attacker = another_browser(waiting)
            assert attacker.step == "second-factor", turn
            guess(attacker, 5)
    with time_machine.travel(now + timedelta(hours=121), tick=True):
        owner = another_browser(waiting)
        assert owner.step == "sign-in"
        assert "Trop de codes faux ont été saisis pour ce compte" in owner.page.text
