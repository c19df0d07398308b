"""Authorization codes: claimed once, in time, while their account stands (RFC 6749 4.1.2)."""

from datetime import timedelta

import pytest

from idp import clock
from idp.accounts.account import AccountStatus
from idp.extensions import db, settings, transaction
from idp.grants import codes
from tests.support.proofs import change_account


@pytest.fixture
def value(new_code) -> str:
    return new_code()


@pytest.fixture
def claim(value, find_code):
    """Look the code up and claim it, in one transaction."""

    def act() -> bool:
        with transaction():
            return codes.claim(find_code(value))

    return act


def test_a_code_is_claimed_once(claim, value, find_code):
    assert claim()
    assert not claim()
    db.session.expire_all()
    assert find_code(value).used_at == clock.now()


def test_of_two_who_looked_before_either_claimed_only_one_has_it(value, find_code):
    with transaction():
        seen = find_code(value)
        assert [codes.claim(seen), codes.claim(seen)] == [True, False]


def test_a_revoked_code_cannot_be_claimed(claim, value, find_code):
    with transaction():
        codes.revoke(find_code(value).id)
    assert not claim()
    assert find_code(value).used_at is None


def test_a_code_can_be_claimed_until_it_expires(claim, new_code, now, value, find_code):
    now.shift(settings.authorization_code_lifetime)
    assert not claim()
    younger = new_code()
    now.shift(settings.authorization_code_lifetime - timedelta(seconds=1))
    with transaction():
        assert codes.claim(find_code(younger))


@pytest.mark.parametrize("change", [{"epoch": 2}, {"status": AccountStatus.FROZEN}], ids=str)
def test_a_code_dies_with_its_epoch_and_its_account(claim, account, change, value, find_code):
    change_account(account, **change)
    assert not claim()
    assert find_code(value).used_at is None


def test_a_code_is_found_by_its_own_client_only(value, portal):
    assert codes.find(value, portal.row_id) is not None
    assert codes.find(value, portal.row_id + 1) is None
    assert codes.find(value[:-1], portal.row_id) is None


@pytest.mark.parametrize(
    ("scope", "redeemed", "kept"),
    [
        ("openid", True, timedelta(days=1, minutes=10)),
        ("openid offline_access", True, timedelta(days=181)),
        # Nothing hangs on it: whoever makes thousands must not keep them for half a year.
        ("openid offline_access", False, timedelta(days=1, minutes=1)),
    ],
)
def test_a_code_is_kept_as_long_as_anything_can_hang_on_it(
    *, new_code, portal, now, scope, redeemed, kept
):
    value = new_code(scope=scope)
    with transaction():
        assert not redeemed or codes.claim(codes.find(value, portal.row_id))
    now.shift(kept)
    with transaction():
        assert codes.purge(10) == 0
    now.shift(timedelta(seconds=1))
    with transaction():
        assert codes.purge(10) == 1
