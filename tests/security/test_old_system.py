"""The old system never learns what is not its own, and is not asked in vain."""

import pytest

from idp.legacy import registry
from tests.support.accounts import ADDRESS, make_account
from tests.support.people import PASSWORD


@pytest.fixture
def asked(monkeypatch):
    """Every (identifier, password) that any old system was asked about."""
    calls = []
    ask = registry.ask

    def spy(identifier, password, is_claimed):
        calls.append((identifier, password))
        return ask(identifier, password, is_claimed)

    monkeypatch.setattr(registry, "ask", spy)
    return calls


@pytest.mark.parametrize(
    "typed", [ADDRESS, ADDRESS.upper(), f" {ADDRESS} ", "jeanne@EXAMPLE.CH", "ｊeanne@example.ch"]
)
def test_an_accounts_address_is_never_asked_about_whatever_the_password(person, asked, typed):
    make_account()
    person.authorize().sign_in(typed, "mistyped new password")
    assert person.page.status == 422
    assert asked == []


def test_a_blocked_try_asks_nobody(person, asked):
    person.authorize()
    for _ in range(7):
        person.sign_in("paul", "wrong")
    assert person.page.status == 429
    assert len(asked) == 5


def test_the_new_password_is_never_sent_to_the_old_system(person, asked):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    person.press("Se connecter à e-services").two_factors(ADDRESS)
    assert asked == [("jeanne", PASSWORD)]


def test_an_empty_password_is_never_asked_about(person, asked):
    person.authorize().sign_in("jeanne", "")
    assert person.page.status == 422
    assert all(password for _identifier, password in asked)
