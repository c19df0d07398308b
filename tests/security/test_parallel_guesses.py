"""200 guesses at once, over several processes, are 200 guesses: none is compared beyond the limit."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import pytest
import requests

from idp.accounts.account import Account
from idp.challenges.challenge import Challenge
from idp.extensions import db
from idp.security.throttle import Throttle
from idp.security.tokens import digest
from idp.sessions.models import Authentication
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD, Page, Person
from tests.support.server import serving
from tests.support.surfer import Answer

GUESSES = 200


NETWORKS = 20


@pytest.fixture
def server(app):
    """Two processes behind a proxy that names the sender; no guess is turned away unheard."""
    changes = {"trusted_proxies": 1, "sign_in_slots": 16}
    with serving(app.extensions["seuil.settings"], workers=2, **changes) as url:
        yield url


def here(_number: int) -> str:
    return "192.0.2.1"


def spread(number: int) -> str:
    """So many networks, and every address of a network another one."""
    return f"198.51.{number % NETWORKS}.{number}"


def pretended(number: int) -> str:
    """Only what the own proxy wrote, the last, is believed."""
    return f"198.51.{number % NETWORKS}.{number}, 192.0.2.1"


def begin(person: Person, url: str) -> tuple[requests.Session, str, Page]:
    """A browser on the sign-in page: its cookies, where it is, what it sees."""
    http = requests.Session()
    answer = http.get(url + person.authorize_path(), timeout=10)
    return http, answer.url, Page(Answer(answer))


def shoot(
    http: requests.Session,
    url: str,
    fields: list[dict[str, str]],
    sender: Callable[[int], str] = here,
) -> list[requests.Response]:
    """Post each set of fields at the same time, with one browser's cookies, each from its sender."""

    def post(numbered: tuple[int, dict[str, str]]) -> requests.Response:
        number, values = numbered
        headers = {"X-Forwarded-For": sender(number)}
        options = {"cookies": http.cookies, "timeout": 60, "allow_redirects": False}
        return requests.post(url, data=values, headers=headers, **options)

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(post, enumerate(fields)))


@pytest.mark.parametrize("sender", [here, spread])
def test_codes(person, server, sender):
    make_account()
    http, url, page = begin(person, server)
    fields = page.forms[0].fields | {"identifier": ADDRESS, "password": NEW_PASSWORD}
    answer = http.post(url, data=fields, timeout=10)
    page, right = Page(Answer(answer)), person.code(ADDRESS)
    assert page.step == "second-factor"

    wrong = [f"{number:06}" for number in range(GUESSES) if f"{number:06}" != right]
    token = page.forms[0].fields["csrf_token"]
    guesses = [{"csrf_token": token, "code": code} for code in wrong]
    answers = shoot(http, answer.url, guesses, sender)
    seen = Counter(
        "compared"
        if "Ce code n’est pas le bon" in one.text
        else "refused"
        if "Trop de codes faux" in one.text
        else one.status_code
        for one in answers
    )
    assert seen == {"compared": 5, "refused": len(wrong) - 5}

    late = http.post(answer.url, data={"csrf_token": token, "code": right}, timeout=10)
    assert Page(Answer(late)).step == "second-factor", "even the right one has to wait"
    assert db.session.query(Authentication).count() == 0


def test_one_right_code_posted_many_times_authenticates_once(person, server):
    make_account()
    http, url, page = begin(person, server)
    fields = page.forms[0].fields | {"identifier": ADDRESS, "password": NEW_PASSWORD}
    answer = http.post(url, data=fields, timeout=10)
    page, right = Page(Answer(answer)), person.code(ADDRESS)
    token = page.forms[0].fields["csrf_token"]
    answers = shoot(http, answer.url, [{"csrf_token": token, "code": right}] * 20)
    given = [one for one in answers if "seuil-session" in one.cookies]
    assert len(given) == 1
    # A sixth that is under way before the first is accepted is a try too many.
    assert {one.status_code for one in answers} <= {303, 422, 429}
    assert db.session.query(Authentication).count() == 1


@pytest.mark.parametrize(
    ("identifier", "sender", "free"),
    [
        (ADDRESS, here, 5),
        (ADDRESS, pretended, 5),
        (ADDRESS, spread, 20),
        ("jeanne", spread, 20),
    ],
)
def test_passwords(person, server, identifier, sender, free):
    """Five at an identifier are free from one network, twenty from all; each later one waits 1, 2, 4 …
    seconds for the one before it."""
    make_account()
    http, url, page = begin(person, server)
    token = page.forms[0].fields["csrf_token"]
    tries = [
        {"csrf_token": token, "identifier": identifier, "password": f"guess {number}"}
        for number in range(GUESSES)
    ]
    began = time.monotonic()
    seen = Counter(one.status_code for one in shoot(http, url, tries, sender))
    assert set(seen) == {422, 429}
    assert free <= seen[422] <= free + earned(began), seen
    assert counted(f"password:{tries_name(identifier)}") == seen[422]
    assert counted("password-everywhere") == seen[422]


def test_one_password_tried_at_many_identifiers(person, app):
    """From one network, and from many: nobody's own counter ever fills up."""
    changes = {"trusted_proxies": 1, "sign_in_slots": 16}
    limits = {"wrong_passwords_network": 40, "wrong_passwords_everywhere": 60}
    with serving(app.extensions["seuil.settings"], **changes, **limits) as server:
        http, url, page = begin(person, server)
        token = page.forms[0].fields["csrf_token"]
        tries = [
            {"csrf_token": token, "identifier": f"person{number}", "password": "Soleil2024"}
            for number in range(GUESSES)
        ]
        began = time.monotonic()
        one = Counter(answer.status_code for answer in shoot(http, url, tries, here))
        assert 40 <= one[422] <= 40 + earned(began), one
        all_of_them = Counter(answer.status_code for answer in shoot(http, url, tries, spread))
        assert 60 <= one[422] + all_of_them[422] <= 60 + earned(began), all_of_them


def earned(began: float) -> int:
    """How many tries the growing delays have given since: after 1 second, 1 + 2, 1 + 2 + 4 …"""
    passed = time.monotonic() - began
    return sum(passed >= 2**number - 1 for number in range(1, 6)) + int(passed // 30)


def tries_name(identifier: str) -> str:
    return identifier.replace(".", "")


def counted(key: str) -> int:
    return db.session.get_one(Throttle, digest(key)).count


def test_one_password_form_spread_over_many_browsers_is_counted_together(person, server):
    """The counter belongs to identifier and network, not to a browser or an interaction."""
    make_account()

    def guess(number: int) -> int:
        http, url, page = begin(person, server)
        fields = {"identifier": f" {ADDRESS.upper()} ", "password": f"guess {number}"}
        return http.post(url, data=page.forms[0].fields | fields, timeout=30).status_code

    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        seen = Counter(pool.map(guess, range(24)))
    assert set(seen) == {422, 429}
    assert 5 <= seen[422] <= 5 + earned(began), seen


def test_enrolment_codes(person, server):
    http, url, page = begin(person, server)
    fields = page.forms[0].fields | {"identifier": "jeanne", "password": "Edelweiss-1291"}
    answer = http.post(url, data=fields, timeout=10)
    page = Page(Answer(answer))
    fields = page.forms[0].fields | {"email": ADDRESS}
    answer = http.post(urljoin(answer.url, page.forms[0].action), data=fields, timeout=10)
    page, right = Page(Answer(answer)), person.code(ADDRESS)
    assert page.step == "email-code"
    token = page.forms[0].fields["csrf_token"]
    wrong = [f"{number:06}" for number in range(GUESSES) if f"{number:06}" != right]
    answers = shoot(http, answer.url, [{"csrf_token": token, "code": code} for code in wrong])
    assert sum("Ce code n’est pas le bon" in one.text for one in answers) == 5
    assert db.session.query(Challenge).filter(Challenge.verified_at.is_not(None)).count() == 0
    assert db.session.query(Account).count() == 0
