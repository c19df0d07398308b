"""Wrong passwords are counted by identifier and network: an IPv6 user owns a whole /64 (RFC 6177), and who
has one IPv4 address of a /24 has often more."""

import pytest

from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.settings import override

HERE = "2001:db8:0:1::1"


@pytest.fixture
def at(app, inbox, portal):
    """A browser on the sign-in page, at a network address."""
    make_account()

    def come(address: str) -> Person:
        person = Person(app, inbox, portal)
        person.browser.environ_base["REMOTE_ADDR"] = address
        return person.authorize()

    return come


def mistype(person):
    for _ in range(5):
        assert person.sign_in(ADDRESS, "wrong").page.status == 422


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HERE, HERE),
        (HERE, "2001:db8:0:1::2"),
        (HERE, "2001:db8:0:1:ffff:ffff:ffff:ffff"),
        ("::1", "::2"),
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7", "192.0.2.255"),
        ("192.0.2.7", "::ffff:192.0.2.9"),
        ("fe80::1%eth0", "fe80::2"),
        ("", "not an address"),
    ],
)
def test_addresses_of_one_network_share_their_tries(at, one, other):
    mistype(at(one))
    assert at(other).sign_in(ADDRESS, NEW_PASSWORD).page.status == 429


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HERE, "2001:db8:0:2::1"),
        (HERE, "2001:db8:1:1::1"),
        (HERE, "192.0.2.7"),
        ("192.0.2.7", "192.0.3.7"),
        ("::ffff:192.0.2.7", "::ffff:192.0.3.7"),
        ("2001:db8:0:10::1", "2001:db8:0:1::1"),
    ],
)
def test_another_network_is_not_held_up(at, one, other):
    mistype(at(one))
    assert at(other).sign_in(ADDRESS, NEW_PASSWORD).step == "second-factor"


def test_a_line_with_many_networks_cannot_shut_the_page_for_everybody(at, app):
    """A home line has 256 of them or more."""
    with override(app, wrong_passwords_network=2, wrong_passwords_free=1):
        statuses = [
            at(f"2001:db8:0:{number}::1").sign_in(f"nobody{number}", "wrong").page.status
            for number in range(9)
        ]
        assert statuses == [422] * 8 + [429]
        assert at("2001:db8:1:1::1").sign_in(ADDRESS, NEW_PASSWORD).page.status == 200
