"""A person with an account, and one who has signed in."""

import pytest

from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import Person


@pytest.fixture
def account(app) -> int:
    """Row id of an account without a phone."""
    return make_account()


@pytest.fixture
def signed_in(person: Person, account: int) -> Person:
    """At the portal's callback, with a code."""
    return person.authorize().two_factors(ADDRESS)
