"""The one rule, asked directly: two proofs that belong together, or no row (DESIGN 1)."""

from datetime import timedelta

import pytest

from idp import clock
from idp.accounts.account import AccountStatus
from idp.challenges.challenge import Channel, Purpose
from idp.extensions import db, transaction
from idp.sessions import authentication
from idp.sessions.authentication import BrokenRuleError, authenticate
from idp.sessions.models import Authentication
from tests.support.accounts import make_account
from tests.support.proofs import (
    EPOCH,
    INTERACTION,
    change_account,
    code_proof,
    password_proof,
    send_code,
)

OTHERS = 1000
"""Added to the account's row id: somebody else's."""


@pytest.fixture
def account(app) -> int:
    return make_account()


@pytest.fixture
def challenge(account):
    return send_code(account)


def both(password, code):
    with transaction():
        return authenticate(password, code)


def authentications() -> int:
    return db.session.query(Authentication).count()


def test_both_factors_make_the_row_that_says_so(account, challenge):
    now = clock.now()
    first, second = now - timedelta(seconds=40), now - timedelta(seconds=2)
    row = both(password_proof(account, at=first), code_proof(challenge, at=second))
    assert (row.account_id, row.epoch, row.interaction_id) == (account, EPOCH, INTERACTION)
    assert (row.password_verified_at, row.authenticated_at) == (first, second)
    assert (row.challenge_id, row.channel) == (challenge.id, Channel.EMAIL)
    assert authentications() == 1


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ({}, {"purpose": Purpose.EMAIL_ENROLMENT}),
        ({}, {"purpose": Purpose.PHONE_ENROLMENT}),
        ({"account_id": "other"}, {}),
        ({}, {"account_id": "other"}),
        ({}, {"account_id": None}),
        ({"interaction_id": "another"}, {}),
        ({}, {"interaction_id": "another"}),
    ],
    ids=str,
)
def test_proofs_that_do_not_belong_together_are_a_broken_rule(account, challenge, password, code):
    other = make_account("other@example.ch")
    first, second = (
        {name: other if value == "other" else value for name, value in changes.items()}
        for changes in (password, code)
    )
    typed = password_proof(**{"account_id": account} | first)
    with pytest.raises(BrokenRuleError):
        both(typed, code_proof(challenge, **second))
    assert authentications() == 0


@pytest.mark.parametrize(
    ("password", "code", "changed"),
    [
        ({"epoch": EPOCH - 1}, {}, {}),
        ({"epoch": EPOCH + 1}, {}, {}),
        ({}, {"epoch": EPOCH - 1}, {}),
        ({}, {"epoch": EPOCH + 1}, {}),
        ({}, {"epoch": None}, {}),
        ({"epoch": EPOCH + 1}, {"epoch": EPOCH + 1}, {}),
        ({}, {}, {"epoch": EPOCH + 1}),
        ({"epoch": EPOCH + 1}, {}, {"epoch": EPOCH + 1}),
        ({}, {"epoch": EPOCH + 1}, {"epoch": EPOCH + 1}),
        ({}, {}, {"status": AccountStatus.FROZEN}),
    ],
    ids=str,
)
def test_an_account_that_changed_meanwhile_is_not_authenticated(
    account, challenge, password, code, changed
):
    if changed:
        change_account(account, **changed)
    assert both(password_proof(account, **password), code_proof(challenge, **code)) is None
    assert authentications() == 0


def test_an_account_that_is_not_there_is_not_authenticated(account, challenge):
    nobody = account + OTHERS
    assert both(password_proof(nobody), code_proof(challenge, account_id=nobody)) is None


@pytest.mark.parametrize(
    ("channel", "amr", "acr"),
    [
        (Channel.EMAIL, ["pwd", "otp", "mfa"], "urn:seuil:acr:email"),
        (Channel.SMS, ["pwd", "otp", "sms", "mfa"], "urn:seuil:acr:sms"),
    ],
)
def test_the_channel_of_the_code_names_methods_and_level(account, channel, amr, acr):
    challenge = send_code(account, channel=channel, destination="+41791234567")
    row = both(password_proof(account), code_proof(challenge))
    assert (authentication.amr(row), authentication.acr(row)) == (amr, acr)
