"""What a sign-in costs in SQL, BEGIN and COMMIT not counted. The numbers stand here so that nobody raises
them without noticing; of each, one statement takes the tries, however many they are counted in."""

import pytest

from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD
from tests.support.statements import counted

PHONE = "+41791234567"
# Whether the campaign is paused is looked up where an old identifier may be meant, or anything fails.
PASSWORDS = {
    "wrong, for an account": (ADDRESS, "wrong", 11),
    "wrong, for a frozen or unknown address": ("nobody@example.ch", "wrong", 11),
    "wrong, for an unknown old identifier": ("nobody", "wrong", 11),
    # Whether the row is claimed, and a try at the row.
    "wrong, for an old identifier": ("paul", "wrong", 13),
    "right, for an account": (ADDRESS, NEW_PASSWORD, 19),
    "right, for an old identifier seen for the first time": ("jeanne", PASSWORD, 22),
}
TAKES, GIVES = "INSERT INTO throttle", "UPDATE throttle"


def cost(person, **fields):
    """The statements of one form, without those of the page that follows."""
    with counted() as statements:
        person.post(person.path, **fields)
    return statements


def number(statements, beginning):
    return sum(one.startswith(beginning) for one in statements)


@pytest.mark.parametrize(
    ("identifier", "password", "statements"), PASSWORDS.values(), ids=PASSWORDS
)
def test_a_password(person, identifier, password, statements):
    make_account()
    person.authorize()
    seen = cost(person, identifier=identifier, password=password)
    assert len(seen) == statements, seen


def test_tries_are_taken_and_given_back_in_one_statement_each(person):
    make_account()
    person.authorize()
    seen = cost(person, identifier=ADDRESS, password=NEW_PASSWORD)
    # The other take is the budget of the code that is sent.
    assert (number(seen, TAKES), number(seen, GIVES)) == (2, 1)


def test_a_throttled_password_costs_less_than_any_other(person):
    """What was taken elsewhere is given back, the wait read; that it happened is written once a minute."""
    make_account()
    person.authorize()
    for _ in range(6):
        person.sign_in(ADDRESS, "wrong")
    seen = cost(person, identifier=ADDRESS, password="wrong")
    about = [one for one in seen if "throttle" in one]
    assert len(about) == 3 + 1, "and whether it is to be written"
    assert len(seen) == 10, seen


@pytest.mark.parametrize(("phone", "statements"), [(None, 19), (PHONE, 22)])
def test_a_right_password_sends_a_code(person, phone, statements):
    """An SMS looks whether its country is stopped, and counts in it."""
    make_account(phone=phone)
    person.authorize()
    seen = cost(person, identifier=ADDRESS, password=NEW_PASSWORD)
    assert len(seen) == statements, seen


@pytest.mark.parametrize(("phone", "wrong", "right"), [(None, 12, 20), (PHONE, 13, 21)])
def test_a_code(person, phone, wrong, right):
    make_account(phone=phone)
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    code = person.code()
    other = f"{(int(code) + 1) % 10**6:06}"
    seen = cost(person, code=other)
    assert (len(seen), number(seen, TAKES)) == (wrong, 1), seen
    seen = cost(person, code=code)
    assert (len(seen), number(seen, TAKES), number(seen, GIVES)) == (right, 1, 1), seen


def test_a_known_browser_pays_no_more(person):
    make_account()
    person.authorize().two_factors(ADDRESS)
    person.authorize(prompt="login")
    assert len(cost(person, identifier=ADDRESS, password=NEW_PASSWORD)) == 19
