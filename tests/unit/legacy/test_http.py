"""A store behind HTTP: a real server answers, and what goes there and back is held against the contract."""

import hashlib
import hmac
import json
import time
from datetime import UTC, date, datetime

import pytest

from idp.legacy.http import HttpOptions, HttpSource
from idp.legacy.source import (
    Claimed,
    Match,
    Migrated,
    Mismatch,
    NotTakenError,
    Person,
    Unavailable,
    Unknown,
    Unsupported,
    informed,
)
from tests.support.faults import dribbles, faulty, silent
from tests.support.old_service import PASSWORD, PEOPLE, SECRET, Portal, schema, serving
from tests.support.ports import free_port


@pytest.fixture
def portal():
    return Portal()


@pytest.fixture
def url(portal):
    with serving(portal) as url:
        yield url


def described(url, **changes):
    return HttpOptions(**{"name": "old", "url": url, "secret": SECRET, "timeout": 2} | changes)


@pytest.fixture
def source(url):
    return HttpSource(described(url))


def ask(source, identifier="jeanne", password=PASSWORD, answer=None):
    return source.authenticate(identifier, password, lambda _key: answer)


def test_a_right_password_brings_key_and_profile(source):
    answer = ask(source)
    assert isinstance(answer, Match)
    person = answer.person
    assert (answer.source, person.key, person.email) == ("old", "7", "j@old.example")
    assert (person.profile.given_name, person.profile.birthdate) == ("Jeanne", date(1950, 3, 14))
    assert (person.identifier, person.attributes) == ("Jeanne", {"customer": "12"})


def test_wrong_unknown_locked_and_must_change(source):
    assert ask(source, password="wrong") == Mismatch()
    assert ask(source, "nobody") == Unknown()
    assert ask(source, "locked").person.locked
    assert ask(source, "stale").person.must_change
    assert ask(source, "locked", "wrong") == Mismatch()


def test_nobody_is_told_a_password_before_the_row_is_admitted(source, portal):
    assert ask(source, answer=Claimed()) == Claimed()
    assert [path for path, _, _ in portal.asked] == ["/find"]
    assert all(PASSWORD.encode() not in body for _, _, body in portal.asked)


MIGRATED = Migrated("7", "Jeanne", "the-sub", datetime(2026, 11, 26, 16, 4, 47, tzinfo=UTC))


def test_it_is_told_who_has_migrated_as_the_contract_says(url, portal):
    assert informed(HttpSource(described(url))) is None
    told = informed(HttpSource(described(url, on_migrated=True)))
    told.tell(MIGRATED)
    ((path, headers, body),) = portal.asked
    words = json.loads(body)
    assert path == "/migrated"
    assert schema("/migrated", "request").is_valid(words)
    assert words["migrated_at"] == "2026-11-26T16:04:47+00:00"
    assert headers["Seuil-Signature"].startswith("sha256=")


@pytest.mark.parametrize(
    ("status", "answer"),
    [(500, b""), (200, b"{}"), (200, b'{"answer": "no'), (204, b""), (302, b"")],
)
def test_whatever_is_not_noted_is_told_again(url, portal, status, answer):
    portal.status, portal.answers = status, [answer]
    with pytest.raises(NotTakenError) as refused:
        HttpSource(described(url, on_migrated=True)).tell(MIGRATED)
    assert SECRET not in str(refused.value)


def test_a_service_that_hangs_is_given_up_in_time():
    with faulty(silent) as port:
        told = described(f"http://127.0.0.1:{port}/seuil", on_migrated=True, timeout=0.5)
        began = time.monotonic()
        with pytest.raises(NotTakenError):
            HttpSource(told).tell(MIGRATED)
        assert time.monotonic() - began < 2


def test_whoever_is_locked_over_there_is_locked(url, portal):
    person = PEOPLE["jeanne"] | {"locked": True}
    portal.answers = [json.dumps({"answer": "found", "person": person}).encode()]
    assert HttpSource(described(url)).find("jeanne").locked
    portal.answers = [json.dumps({"answer": "found", "person": person}).encode()]
    assert ask(HttpSource(described(url))).person.locked, "whatever the password"


def test_no_text_holds_what_no_database_takes(url, portal):
    person = PEOPLE["jeanne"] | {"given_name": "Je\x00anne", "attributes": {"group": "V\x00D"}}
    portal.answers = [json.dumps({"answer": "found", "person": person}).encode()]
    found = HttpSource(described(url)).find("jeanne")
    assert (found.profile.given_name, found.attributes["group"]) == ("Jeanne", "VD")
    portal.answers = [json.dumps({"answer": "found", "person": {"key": "7\x00"}}).encode()]
    assert isinstance(HttpSource(described(url)).find("jeanne"), Unsupported)


def test_the_person_can_be_found_without_a_password(source):
    assert isinstance(source.find("jeanne"), Person)
    assert source.find("nobody") == Unknown()


def test_what_is_asked_is_what_the_contract_says(source, portal):
    ask(source)
    assert [path for path, _, _ in portal.asked] == ["/find", "/verify"]
    for path, _headers, body in portal.asked:
        schema(path, "request").validate(json.loads(body))


def test_each_request_is_signed_with_its_time_and_path(source, portal):
    ask(source)
    for path, headers, body in portal.asked:
        stamp = headers["Seuil-Timestamp"]
        signed = f"{stamp}\n/seuil{path}\n".encode() + body
        right = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert headers["Seuil-Signature"] == f"sha256={right}"
        assert abs(int(stamp) - time.time()) < 60
        assert SECRET not in str(headers)


def test_or_the_secret_is_sent(url, portal):
    ask(HttpSource(described(url, auth="bearer")))
    assert {headers["Authorization"] for _, headers, _ in portal.asked} == {f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"no json",
        b"[]",
        b'{"answer": "maybe"}',
        b'{"answer": true}',
        b'{"answer": "found", "person": {"key": 7}}',
        b'{"answer": "found", "person": {"key": ""}}',
        b'{"answer": "found", "person": {"key": "7", "birthdate": "yesterday"}}',
        b'{"answer": "found", "person": {"key": "' + b"7" * 256 + b'"}}',
        b"\xff\xfe",
        b'{"answer": "unknown", "x": "' + b"x" * 70000 + b'"}',
        b"[" * 30000,
    ],
)
def test_nonsense_is_a_store_that_does_not_answer(source, portal, said):
    portal.answers = [said]
    assert ask(source) == Unavailable()
    portal.answers = [said]
    assert source.problem().startswith("does not answer as it should: find: ")


def test_nonsense_about_the_password_is_no_match(source, portal):
    found = json.dumps({"answer": "found", "person": PEOPLE["jeanne"]}).encode()
    for said in (
        b'{"answer": "found"}',
        b'{"answer": "MATCH"}',
        b"match",
        b'{"answer": ["match"]}',
    ):
        portal.answers = [found, said]
        assert ask(source) == Unavailable()


def test_somebody_without_a_name_there_is_nobodys_sign_in(source, portal):
    portal.answers = [b'{"answer": "found"}']
    assert isinstance(ask(source), Unsupported)


@pytest.mark.parametrize("status", [201, 204, 301, 307, 400, 401, 404, 500, 503])
def test_any_other_status_is_a_store_that_does_not_answer_and_no_redirect_is_followed(
    source, portal, url, status
):
    portal.status, portal.headers = status, {"Location": f"{url}/elsewhere"}
    assert ask(source) == Unavailable()
    assert len(portal.asked) == 1


@pytest.mark.parametrize(
    "script", [silent, dribbles(b"H"), dribbles(b"HTTP/1.1 200 OK\r\nA: b\r\n")]
)
def test_a_slow_store_is_given_up_in_time(script):
    with faulty(script) as port:
        source = HttpSource(described(f"http://127.0.0.1:{port}", timeout=0.5))
        began = time.monotonic()
        assert ask(source) == Unavailable()
        assert time.monotonic() - began < 1.5


def test_a_dead_store_is_unavailable():
    source = HttpSource(described(f"http://127.0.0.1:{free_port()}"))
    assert ask(source) == Unavailable()
    assert "ConnectionError" in source.problem()


def test_a_sound_store_has_no_problem_and_one_that_finds_anybody_has(source, portal):
    assert source.problem() is None
    portal.answers = [b'{"answer": "found", "person": {"key": "1"}}']
    assert source.problem() == "finds somebody whom nobody is called"


@pytest.mark.parametrize("identifier", ["", "x" * 255, "\x00", "\ud800"])
def test_what_no_store_can_hold_is_not_asked_about(source, portal, identifier):
    assert ask(source, identifier) == Unknown()
    assert portal.asked == []


@pytest.mark.parametrize(
    "url", ["http://portal.example.org", "ftp://x", "https://", "https://x/?a=b"]
)
def test_an_unsafe_address_is_refused(url):
    with pytest.raises(ValueError, match="https"):
        described(url)


def test_the_secret_is_never_printed(url):
    assert SECRET not in repr(described(url)) + str(HttpSource(described(url)).__dict__)
