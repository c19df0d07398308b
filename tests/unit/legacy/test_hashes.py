"""Foreign hashes, each against a value made without the code under test."""

import base64
import contextlib
import hashlib
import warnings

import argon2
import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.legacy.hashes import HOME_MADE, SCHEMES, UnsupportedHashError, fits, verify

PASSWORD = "Grüezi & Bonjour 1291"
RAW = PASSWORD.encode()
SALT = b"saltsalt"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def django(rounds: int = 1000) -> str:
    derived = hashlib.pbkdf2_hmac("sha256", RAW, b"seasalt", rounds)
    return f"pbkdf2_sha256${rounds}$seasalt${b64(derived)}"


# The crypt values were made by the C library.
MADE = {
    "bcrypt": bcrypt.hashpw(RAW, bcrypt.gensalt(4)).decode(),
    "bcrypt-2a": bcrypt.hashpw(RAW, bcrypt.gensalt(4, prefix=b"2a")).decode(),
    "bcrypt-2y": bcrypt.hashpw(RAW, bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$"),
    "sha512-crypt": "$6$rounds=1000$saltstring$EsoEp89qazbSGCqGjb364gtbG8ZI9ku6FB"
    "JThHS6dGxmiY9b3qykpGeSDaGn5PI06CM5tj23UW7aePazuIzeI/",
    "sha256-crypt": "$5$rounds=1000$saltstring$2KPcso9lv5.ZDMpZP2KpM53HTZcCKLbqe6ysv0Kztq2",
    "md5-crypt": "$1$saltstri$kaFupSg7/huNPAJjuruWU.",
    "argon2id": argon2.PasswordHasher(1, 8, 1).hash(RAW),
    "django": django(),
    "ssha": "{SSHA}" + b64(hashlib.sha1(RAW + SALT).digest() + SALT),
    "ssha512": "{SSHA512}" + b64(hashlib.sha512(RAW + SALT).digest() + SALT),
    "smd5": "{SMD5}" + b64(hashlib.md5(RAW + SALT).digest() + SALT),
    "sha": "{SHA}" + b64(hashlib.sha1(RAW).digest()),
}


@pytest.mark.parametrize("kind", MADE)
def test_each_kind_is_recognised_and_fits_its_password_only(kind):
    assert verify(MADE[kind], PASSWORD)
    assert not verify(MADE[kind], PASSWORD + "x")
    assert not verify(MADE[kind], PASSWORD.lower())


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256"])
def test_a_salt_in_a_column_of_its_own(digest):
    stored = hashlib.new(digest, b"0a1b" + RAW).hexdigest()
    scheme = f"{digest}-salted"
    assert verify(stored.upper(), PASSWORD, salt="0a1b", scheme=scheme)
    assert not verify(stored, PASSWORD, salt="0a1c", scheme=scheme)


def test_bcrypt_reads_72_bytes_as_the_old_system_did():
    long = "é" * 60
    stored = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
    assert verify(stored, long)
    assert verify(stored, long + "more")


def test_a_password_is_compared_as_typed_without_normalising():
    stored = hashlib.md5("s\u00e9same".encode()).hexdigest()
    assert verify(stored, "s\u00e9same", scheme="md5-salted")
    assert not verify(stored, "se\u0301same", scheme="md5-salted")
    assert not verify(stored, " s\u00e9same ", scheme="md5-salted")


@pytest.mark.parametrize(
    "bomb",
    [
        "$2b$31$" + "u" * 53,
        "$6$rounds=999999999$salt$" + "a" * 86,
        "pbkdf2_sha256$4000000000$salt$" + "a" * 43 + "=",
        "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$" + "a" * 43,
        "$argon2id$v=19$m=8,t=4000000,p=1$c2FsdHNhbHQ$" + "a" * 43,
        "$pbkdf2-sha512$4000000000$c2FsdA$" + "a" * 86,
    ],
)
def test_a_hash_that_would_stop_the_service_is_not_computed(bomb):
    with pytest.raises(UnsupportedHashError, match="expensive"):
        verify(bomb, "x")


@pytest.mark.parametrize(
    "stored", ["", "plaintext", "$9$unknown", "{WHAT}abc", "$2b$04$short", "$6$", "\x00", "$1$"]
)
def test_what_is_no_hash_is_told_to_the_operator(stored):
    with pytest.raises(UnsupportedHashError):
        verify(stored, "x")


@given(
    stored=st.text(max_size=60) | st.text("0123456789abcdef$:./", max_size=50),
    scheme=st.sampled_from(sorted(SCHEMES - {"auto", HOME_MADE})),
)
def test_what_has_not_the_form_of_its_scheme_can_never_be_verified(stored, scheme):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if fits(stored, scheme):
            return
        with pytest.raises(UnsupportedHashError):
            verify(stored, "x", scheme=scheme)


def test_an_unknown_scheme_is_told_to_the_operator():
    with pytest.raises(UnsupportedHashError, match="unknown scheme"):
        verify(MADE["bcrypt"], PASSWORD, scheme="rot13")


def test_an_endless_password_is_simply_wrong():
    assert not verify(MADE["bcrypt"], "x" * 100_000)


@given(stored=st.text(max_size=80), password=st.text(max_size=40))
def test_no_stored_text_raises_anything_but_unsupported(stored, password):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(UnsupportedHashError):
            assert verify(stored, password) in {True, False}


@given(tail=st.text(max_size=60), kind=st.sampled_from(["$2b$04$", "$6$", "$argon2id$", "{SSHA}"]))
def test_no_malformed_hash_of_a_known_kind_raises_anything_but_unsupported(tail, kind):
    with warnings.catch_warnings(), contextlib.suppress(UnsupportedHashError):
        warnings.simplefilter("ignore")
        assert verify(kind + tail, "x") in {True, False}
