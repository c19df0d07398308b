"""Nothing that anybody sends or imports costs more than it should."""

import time

import pytest

from idp.accounts.addresses import email_key, parse_email
from idp.legacy import hashes
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD
from tests.support.people import PASSWORD

EXPENSIVE = [
    "$2b$31$" + "u" * 53,
    "$6$rounds=999999999$salt$" + "a" * 86,
    "$5$rounds=999999999$salt$" + "a" * 43,
    "$pbkdf2-sha512$999999999$c2FsdA$" + "a" * 86,
    "pbkdf2_sha256$999999999$salt$" + "a" * 43 + "=",
    "$argon2id$v=19$m=999999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    "$argon2id$v=19$m=1024,t=999999999,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    "$argon2i$m=65536,t=200,p=1$c29tZXNhbHQ$" + "a" * 43,
    "$argon2id$v=19$m=65536,t=2,p=8000$c29tZXNhbHQ$" + "a" * 43,
    "$2$15$" + "u" * 53,
    "$P$S" + "a" * 8 + "b" * 22,
    "$5$rounds=" + "9" * 5000 + "$salt$" + "a" * 43,
    "pbkdf2_sha256$" + "9" * 5000 + "$salt$" + "a" * 43 + "=",
]


def seconds(action):
    began = time.process_time()
    action()
    return time.process_time() - began


@pytest.mark.parametrize("stored", EXPENSIVE, ids=lambda stored: stored[:14])
def test_a_hash_beyond_the_cost_caps_is_never_computed(stored):
    def verify():
        with pytest.raises(hashes.UnsupportedHashError):
            hashes.verify(stored, PASSWORD)

    assert seconds(verify) < 0.5


@pytest.mark.parametrize("path", ["/authorize", "/token", "/userinfo", "/logout"])
def test_a_large_body_is_refused_unread(client, path):
    body = b"a=" + b"x" * 1_000_000
    form = "application/x-www-form-urlencoded"
    answer = client.post(path, data=body, content_type=form, base_url=ISSUER)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/authorize", "/token", "/par", "/introspect", "/revoke"])
def test_a_body_in_chunks_is_refused_unread(client, path):
    """A broken chunk would be an error of ours, found while a view reads the form."""
    answer = client.post(path, headers={"Transfer-Encoding": "chunked"}, base_url=ISSUER)
    assert answer.status_code == 411
    assert answer.is_json is (path != "/authorize")


def test_ten_thousand_fields_are_refused_cheaply(client):
    body = "&".join(f"f{number}=1" for number in range(10_000))
    form = "application/x-www-form-urlencoded"

    def post():
        answer = client.post("/token", data=body, content_type=form, base_url=ISSUER)
        assert 400 <= answer.status_code < 500

    assert seconds(post) < 1


def test_many_parts_are_refused(client):
    files = {f"f{number}": "1" for number in range(200)}
    answer = client.post(
        "/authorize", data=files, content_type="multipart/form-data", base_url=ISSUER
    )
    assert 400 <= answer.status_code < 500


# Raw UTF-8 takes a third of the bytes of a percent-encoded form, so many of these fit in one body.
MARKS = "a" + "".join(
    chr(mark) * 3000 for mark in (0x345, 0x315, 0x301, 0x328, 0x5B0, 0x93C, 0x334)
)


@pytest.mark.parametrize("field", ["identifier", "password"])
def test_combining_marks_cost_no_more_than_other_letters(person, field):
    """Their normalisation takes time with the square of their number."""
    make_account()
    person.authorize()
    fields = {"identifier": ADDRESS, "password": "x", field: f"{MARKS}@x.ch"}
    form = {"csrf_token": person.page.forms[0].fields["csrf_token"], **fields}

    def post():
        answer = person.browser.post(
            person.path, data=form, content_type="multipart/form-data", base_url=ISSUER
        )
        assert answer.status_code == 422

    assert seconds(post) < 0.5


def test_combining_marks_in_an_address_cost_no_more_either():
    def parse():
        assert parse_email(f"{MARKS}@x.ch") is None
        assert len(email_key(f"{MARKS}@x.ch")) < 1000

    assert seconds(parse) < 0.1


@pytest.mark.parametrize("length", [200, 5_000])
def test_a_password_of_any_length_costs_no_more_than_another(app, person, length):
    """At sign-in it is simply wrong, as a new password too long; neither is fed to a slow hash or zxcvbn."""
    person.authorize()

    def sign_in():
        person.sign_in("jeanne", "é" * (length // 2))
        assert (person.step, person.page.status) == ("sign-in", 422)

    assert seconds(sign_in) < 1
    person.sign_in("jeanne", PASSWORD).give_email("moi@example.ch")
    person.press("Je ne souhaite pas donner mon numéro de téléphone")

    def choose():
        person.press("Mettre à jour le compte", password="a1" * length, confirmation="a1" * length)

    assert seconds(choose) < 1
    assert (person.step, person.page.status) == ("profile", 422)
    assert "trop long" in person.page.text
    assert (
        person.press(
            "Mettre à jour le compte", password=NEW_PASSWORD, confirmation=NEW_PASSWORD
        ).step
        == "done"
    )


def test_a_password_that_zxcvbn_finds_hard_to_read_is_still_quick(person):
    person.authorize().sign_in("jeanne", PASSWORD).give_email("moi@example.ch")
    person.press("Je ne souhaite pas donner mon numéro de téléphone")
    nasty = ("1l1l0o0o" * 16)[:128]

    def choose():
        person.press("Mettre à jour le compte", password=nasty, confirmation=nasty)

    assert seconds(choose) < 2
