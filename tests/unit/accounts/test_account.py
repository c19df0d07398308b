"""The account's row: a hash is renewed only while it is still the same password's."""

import pytest

from idp.accounts import account as accounts
from idp.accounts import changes
from idp.accounts.account import Account
from idp.extensions import db, transaction
from tests.support.accounts import make_account
from tests.support.proofs import change_account


@pytest.fixture
def account(app) -> Account:
    return db.session.get_one(Account, make_account())


def renew(account, old):
    with transaction():
        accounts.replace_hash(account.id, old=old, new="a stronger hash")
    db.session.expire_all()
    return account.password_hash


def test_a_stronger_hash_takes_the_place_of_the_one_it_was_made_from(account):
    other = make_account("other@example.ch")
    assert renew(account, account.password_hash) == "a stronger hash"
    assert db.session.get_one(Account, other).password_hash != "a stronger hash"


def test_a_password_that_changed_meanwhile_is_left_alone(account):
    old = account.password_hash
    change_account(account.id, password_hash="of a new password")
    assert renew(account, old) == "of a new password"


def test_each_account_has_a_name_of_its_own_that_says_nothing(account):
    other = db.session.get_one(Account, make_account("other@example.ch"))
    assert len({account.sub, other.sub}) == 2
    assert "jeanne" not in account.sub
    assert len(account.sub) >= 32


@pytest.mark.parametrize("change", [changes.freeze, changes.unfreeze, changes.end_everything])
@pytest.mark.usefixtures("app")
def test_a_closed_account_is_changed_by_nothing(change):
    row = make_account()
    with transaction():
        account = accounts.by_id(row)
        assert changes.close(row, account.epoch, account.sub)
    with transaction():
        assert not change(row, accounts.by_id(row).epoch)
    assert accounts.by_id(row).closed
