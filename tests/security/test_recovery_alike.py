"""A recovery tells nobody who has an account: pages, codes, counts and times are alike."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urljoin

import pytest
import requests
import time_machine
from sqlalchemy import update

from idp import clock
from idp.accounts.account import Account
from idp.challenges.challenge import Challenge
from idp.challenges.issue import code_of
from idp.delivery import outbox
from idp.extensions import db, transaction
from idp.legacy import identity as identities
from idp.security import throttle
from tests.support.accounts import ADDRESS, make_account
from tests.support.alike import assert_as_quick, without_random
from tests.support.journey import CODE, Page
from tests.support.recovery import FORGOTTEN, ask, wrong_code
from tests.support.server import serving
from tests.support.strict import asking_for, write_strict_store
from tests.support.surfer import Answer

NUMBER = "+41791234567"
FROZEN = "frozen@example.ch"
EACH = 12
KINDS = {
    "an account": ADDRESS,
    "no account's address": "nobody@example.ch",
    "an old identifier without an address on record": "rosa",
    "an old identifier with one": "jeanne",
    "one whose row is an account's": "paul",
    "no address at all": "n’importe quoi",
    "nothing": "",
    "a frozen account": FROZEN,
}
NOBODY = [typed for typed in KINDS.values() if typed not in {ADDRESS, "jeanne"}]


@pytest.fixture
def people(app, tmp_path):
    """Everybody of KINDS who exists."""
    owner = make_account()
    frozen = make_account(FROZEN)
    with transaction():
        db.session.execute(update(Account).where(Account.id == frozen).values(status="frozen"))
        assert identities.claim(identities.meet("portail", "2").id, owner)
    with asking_for(app, tmp_path, "password"):
        yield


def bare(page, typed):
    """What can be compared."""
    look = without_random(page.source)
    shown = typed.replace("'", "&#39;")
    return page.status, look.replace(shown, "") if shown else look


@pytest.mark.usefixtures("people")
def test_every_page_is_the_same_whoever_is_asked_for(another):
    """The ask, a wrong code, five of them, a resend too soon and in time, a late code, a sixth message."""
    start = clock.now()
    seen = {}
    for kind, typed in KINDS.items():
        with time_machine.travel(start, tick=False) as now:
            person = another()
            pages = [ask(person, typed).page]
            typed_codes = [*[wrong_code(person)] * 6, "12"]
            pages += [person.press("Vérifier le code", code=code).page for code in typed_codes]
            pages.append(person.press("Envoyer le code à nouveau").page)
            for _ in range(5):
                now.shift(timedelta(seconds=31))
                pages.append(person.press("Envoyer le code à nouveau").page)
            now.shift(timedelta(minutes=15))
            pages.append(person.press("Vérifier le code", code="123456").page)
            pages.append(person.press("Envoyer le code à nouveau").page)
            seen[kind] = [bare(page, typed) for page in pages]
    statuses = [status for status, _text in seen["an account"]]
    assert statuses == [200, *[422] * 5, 429, 422, 429, *[200] * 4, 429, 422, 200]
    for kind, pages in seen.items():
        for number, page in enumerate(pages):
            assert page == seen["an account"][number], (kind, number)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("typed", KINDS.values(), ids=KINDS)
def test_tries_and_messages_of_an_address_are_shared_by_browsers_also_when_it_is_nobodys(
    another, typed
):
    first = ask(another(), typed)
    for _ in range(5):
        first.press("Vérifier le code", code=wrong_code(first))
    second = ask(another(), typed)
    second.press("Vérifier le code", code=wrong_code(second))
    assert second.page.status == 429
    for _ in range(3):
        assert ask(another(), typed).step == "recovery-code"
    sixth = ask(another(), typed)
    assert (sixth.step, sixth.page.status) == ("recovery", 429)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("typed", NOBODY)
def test_a_decoy_sends_nothing_and_no_code_is_ever_right_for_it(person, inbox, typed):
    ask(person, typed)
    outbox.deliver_due("test")
    told = [one for one in inbox.messages if typed == FROZEN and "compte est bloqué" in one.text]
    assert len(told) == (typed == FROZEN), "its owner, in their mailbox, and nobody else"
    assert inbox.messages == told
    assert not any(CODE.search(one.text) for one in told)
    row = db.session.query(Challenge).one()
    person.press("Vérifier le code", code=code_of(row.secret, row.counter))
    assert (person.step, person.page.status) == ("recovery-code", 422)
    assert "Ce code n’est pas le bon" in person.page.text


class Prober:
    """One browser that asks for recoveries over real HTTP, each in a request of its own."""

    def __init__(self, person, url):
        self.person, self.url = person, url

    def probe(self, typed):
        """Seconds and look of the ask, and of a resend that is allowed."""
        http = requests.Session()
        answer = http.get(self.url + self.person.authorize_path(), timeout=10)
        answer = self.press(http, answer, FORGOTTEN)
        asked = self.press(http, answer, "Recevoir le code", email=typed)
        again = self.press(http, asked, "Envoyer le code à nouveau")
        return [
            (one[0].elapsed.total_seconds(), self.look(one[1], typed)) for one in (asked, again)
        ]

    def press(self, http, answer, button, **fields):
        answer = answer[1] if isinstance(answer, tuple) else answer
        form = next(f for f in Page(Answer(answer)).forms if button in f.buttons)
        target = urljoin(answer.url, form.action)
        first = http.post(target, data=form.fields | fields, timeout=30, allow_redirects=False)
        if first.status_code != 303:
            return first, first
        return first, http.get(urljoin(self.url, first.headers["Location"]), timeout=30)

    @staticmethod
    def look(answer, typed):
        shape = without_random(answer.text)
        shape = re.sub(r"\d+ (secondes?|s)\b|data-countdown=\"\d+\"", "", shape)
        headers = {k: v for k, v in answer.headers.items() if k not in {"Date", "Content-Length"}}
        headers.pop("Set-Cookie", None)
        shown = typed.replace("'", "&#39;")
        return answer.status_code, shape.replace(shown, "") if shown else shape, headers


@pytest.fixture
def server(app, tmp_path):
    """The floor of 400 ms, as in production; nothing waits for half a minute between two messages."""
    for number in range(EACH):
        make_account(f"account{number}@example.ch", phone=NUMBER if number % 2 else None)
        make_account(f"frozen{number}@example.ch")
    with transaction():
        frozen = update(Account).where(Account.email.like("frozen%"))
        db.session.execute(frozen.values(status="frozen"))
    changes = {
        "sign_in_floor": timedelta(milliseconds=400),
        "resend_after": timedelta(milliseconds=1),
        "send_limit_network": 10_000,
        "wrong_passwords_network": 10_000,
        "legacy_sources": write_strict_store(tmp_path, "password", more=EACH),
    }
    with serving(app.extensions["seuil.settings"], **changes) as url:
        yield url


def lane(prober, kinds, which):
    """Every third try, so that all kinds stay mixed."""
    tries = [(kind, kind.format(number)) for number in range(EACH) for kind in kinds]
    return [(kind, prober.probe(typed)) for kind, typed in tries[which::3]]


def test_text_status_headers_and_time_of_the_ask_and_the_resend(person, server):
    kinds = ("account{}@example.ch", "nobody{}@example.ch", "frozen{}@example.ch", "legacy{}")
    kinds += ("known{}",)

    def one_round():
        with transaction():
            db.session.execute(throttle.Throttle.__table__.delete())
        with ThreadPoolExecutor(3) as pool:
            lanes = [pool.submit(lane, Prober(person, server), kinds, which) for which in range(3)]
            found = [one for part in lanes for one in part.result()]
        for step in (0, 1):
            looks = {str(probes[step][1]) for _kind, probes in found}
            assert len(looks) == 1, looks
        return [
            (f"step {step}", kind, probes[step][0]) for kind, probes in found for step in (0, 1)
        ]

    assert_as_quick(one_round)
