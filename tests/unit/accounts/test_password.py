"""Passwords of accounts (NIST SP 800-63B-4 3.1.1, DESIGN 7)."""

import pytest

from idp.accounts.password import (
    PasswordCheck,
    PasswordProblem,
    check_password,
    hash_password,
    hash_verbatim,
    new_password_problems,
)
from tests.support.settings import override

GOOD = "trois petits canards verts"
LIGATURE, LETTERS = "ﬁrst long phrase of mine", "first long phrase of mine"
"""NFKC makes the second of the first."""


def problems(password, confirmation=None, personal=(), legacy_hash=None):
    confirmation = password if confirmation is None else confirmation
    return new_password_problems(password, confirmation, personal=personal, legacy_hash=legacy_hash)


@pytest.mark.usefixtures("app")
class TestPolicy:
    def test_a_long_phrase_is_welcome(self):
        assert problems(GOOD) == ()

    def test_both_fields_must_be_the_same(self):
        assert PasswordProblem.MISMATCH in problems(GOOD, GOOD + "!")

    def test_eleven_characters_are_too_few(self):
        assert problems("xK9#mQ2$vL7") == (PasswordProblem.TOO_SHORT,)

    def test_more_than_128_characters_are_too_many(self):
        assert problems("xK9#mQ2$" * 17) == (PasswordProblem.TOO_LONG,)

    @pytest.mark.parametrize("password", ["aaaaaaaaaaaa", "abababababab", "123456789012"])
    def test_what_is_guessed_first_is_refused(self, password):
        assert problems(password) == (PasswordProblem.WEAK,)

    def test_the_legacy_password_is_refused(self):
        assert problems(GOOD, legacy_hash=hash_verbatim(GOOD)) == (PasswordProblem.LEGACY,)

    @pytest.mark.parametrize(
        "password", ["jeanne@example.ch", "JEANNE@EXAMPLE.CH", "jeanne@example.ch1"]
    )
    def test_the_own_address_is_refused(self, password):
        assert problems(password, personal=("jeanne@example.ch", "jeanne")) == (
            PasswordProblem.PERSONAL,
        )

    def test_no_input_is_too_strange_to_be_judged(self):
        assert problems("\x00\ud800\U0010ffff" * 30, legacy_hash=hash_verbatim("x"))


@pytest.mark.usefixtures("app")
class TestHashing:
    def test_a_hash_fits_its_password_only(self):
        stored = hash_password(GOOD)
        assert check_password(stored, GOOD).right
        assert not check_password(stored, GOOD + " ").right

    def test_composed_and_decomposed_letters_are_one_password(self):
        assert check_password(
            hash_password("été à la montagne"), "e\u0301te\u0301 a\u0300 la montagne"
        ).right

    def test_a_legacy_password_is_not_altered(self):
        """Here `check_password` normalises what is typed, so it shows what was hashed."""
        assert not check_password(hash_verbatim(LIGATURE), LIGATURE).right
        assert not check_password(hash_verbatim(LIGATURE), LETTERS).right
        assert check_password(hash_verbatim(LETTERS), LIGATURE).right

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            (LIGATURE, LIGATURE, (PasswordProblem.LEGACY,)),
            (LETTERS, LETTERS, (PasswordProblem.LEGACY,)),
            (LETTERS, LIGATURE, (PasswordProblem.LEGACY,)),
            (LIGATURE, LETTERS, ()),
        ],
    )
    def test_the_old_password_is_refused_as_it_was_and_as_it_would_become(self, old, new, expected):
        assert problems(new, legacy_hash=hash_verbatim(old)) == expected

    def test_a_stronger_setting_renews_the_hash(self, app):
        stored = hash_password(GOOD)
        assert check_password(stored, GOOD).rehash is None
        with override(app, argon2_time=2):
            renewed = check_password(stored, GOOD).rehash
            assert renewed is not None
            assert "t=2" in renewed
            assert check_password(renewed, GOOD) == PasswordCheck(right=True, rehash=None)
            assert not check_password(renewed, GOOD + " ").right

    def test_a_wrong_password_renews_nothing(self, app):
        stored = hash_password(GOOD)
        with override(app, argon2_time=2):
            assert check_password(stored, GOOD + " ") == PasswordCheck(right=False, rehash=None)

    def test_a_broken_hash_is_simply_wrong(self):
        assert not check_password("not a hash", GOOD).right
