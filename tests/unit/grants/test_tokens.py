"""Tokens: alive while not expired, not revoked, and of their account's epoch (RFC 6749 1.4, 1.5)."""

from datetime import timedelta

import pytest

from idp.accounts.account import AccountStatus
from idp.extensions import settings, transaction
from idp.grants import codes, tokens
from idp.grants.models import TokenKind
from tests.support.proofs import change_account

SCOPE = "openid offline_access"


@pytest.fixture
def code(new_code, find_code):
    """The row of a code that was claimed."""
    value = new_code(scope=SCOPE)
    with transaction():
        assert codes.claim(find_code(value))
    return lambda: find_code(value)


def issue(code, kind):
    with transaction():
        return tokens.issue(kind, code(), SCOPE)


@pytest.fixture(params=TokenKind)
def kind(request) -> TokenKind:
    return request.param


@pytest.fixture
def value(code, kind) -> str:
    return issue(code, kind)


def test_a_living_token_is_found_with_all_it_descends_from(value, kind, code, account):
    token = tokens.find(value, kind)
    assert (token.code.id, token.account.id, token.scope) == (code().id, account, SCOPE)
    assert token.authentication.account_id == account


def test_a_token_of_one_kind_is_none_of_the_other(value, kind):
    other = next(one for one in TokenKind if one is not kind)
    assert tokens.find(value, other) is None
    assert tokens.find(value[:-1], kind) is None


def test_a_token_ends_at_its_time(value, kind, now):
    lives = {
        TokenKind.ACCESS: settings.access_token_lifetime,
        TokenKind.REFRESH: settings.refresh_token_idle,
    }
    now.shift(lives[kind] - timedelta(seconds=1))
    assert tokens.find(value, kind) is not None
    now.shift(timedelta(seconds=1))
    assert tokens.find(value, kind) is None


def test_a_token_dies_with_its_code(value, kind, code):
    with transaction():
        codes.revoke(code().id)
    assert tokens.find(value, kind) is None


def test_a_token_that_a_slower_request_inserts_after_the_revocation_is_dead(code, kind):
    with transaction():
        codes.revoke(code().id)
    assert tokens.find(issue(code, kind), kind) is None


@pytest.mark.parametrize("change", [{"epoch": 2}, {"status": AccountStatus.FROZEN}], ids=str)
def test_a_token_dies_with_its_epoch_and_its_account(value, kind, account, change):
    change_account(account, **change)
    assert tokens.find(value, kind) is None


def test_a_refresh_token_is_claimed_once_and_still_found(code):
    value = issue(code, TokenKind.REFRESH)
    for expected in (True, False):
        with transaction():
            assert tokens.claim(tokens.find(value, TokenKind.REFRESH)) is expected
    assert tokens.find(value, TokenKind.REFRESH).used_at is not None, "so that reuse is noticed"


def test_a_family_of_refresh_tokens_ends_together_however_late_the_last_was_issued(code, now):
    now.shift(settings.refresh_token_lifetime - timedelta(days=1))
    value = issue(code, TokenKind.REFRESH)
    now.shift(timedelta(days=1) - timedelta(seconds=1))
    assert tokens.find(value, TokenKind.REFRESH) is not None
    now.shift(timedelta(seconds=1))
    assert tokens.find(value, TokenKind.REFRESH) is None


def test_what_was_used_up_is_no_more_what_a_client_can_use(value, kind, account, portal):
    """A client without access is told so, and the list of applications says it too."""
    (held,) = tokens.living(account, 1)
    assert (held.client_id, held.scope) == (portal.row_id, SCOPE)
    with transaction():
        assert tokens.claim(tokens.find(value, kind))
    assert tokens.living(account, 1) == []
