"""Redeeming authorization codes (RFC 6749 4.1.3 and 4.1.2, RFC 9700 4.2 and 4.5)."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from idp import clock
from idp.accounts.account import Account, AccountStatus
from idp.clients import manage
from idp.clients.registration import Registration
from idp.extensions import db, transaction
from idp.grants.models import AuthorizationCode, Token
from tests.support.together import together
from tests.support.tokens import ask_token, redeem, userinfo


def error_of(answer):
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.get_json()["error"]


def test_a_code_gives_tokens_that_work(signed_in):
    tokens = redeem(signed_in)
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 600
    assert set(tokens) == {"token_type", "access_token", "expires_in", "scope", "id_token"}
    assert userinfo(signed_in, tokens["access_token"]).status_code == 200


def test_reused_code_is_refused_and_revokes_its_tokens(signed_in):
    tokens = redeem(signed_in)
    assert error_of(ask_token(signed_in)) == (400, "invalid_grant")
    assert userinfo(signed_in, tokens["access_token"]).status_code == 401


def test_a_code_is_good_for_sixty_seconds(signed_in):
    with time_machine.travel(clock.now() + timedelta(seconds=61), tick=False):
        assert error_of(ask_token(signed_in)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://portal.example/other"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"code": "x" * 43}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"code": "\x00"}, "invalid_grant"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
    ],
)
def test_what_does_not_fit_is_refused_and_does_not_burn_the_code(signed_in, changes, error):
    assert error_of(ask_token(signed_in, **changes))[1] == error
    assert redeem(signed_in)["access_token"]


def test_the_code_of_another_client_is_refused_and_not_burnt(signed_in):
    with transaction():
        other, secret = manage.create(Registration("other", (signed_in.client.redirect_uri,)))
        other_id = other.client_id
    answer = signed_in.app.test_client().post(
        "/token",
        base_url="http://localhost:8000",
        auth=(other_id, secret),
        data={
            "grant_type": "authorization_code",
            "code": signed_in.callback["code"],
            "redirect_uri": signed_in.client.redirect_uri,
            "code_verifier": signed_in.verifier,
        },
    )
    assert error_of(answer) == (400, "invalid_grant")
    assert redeem(signed_in)["access_token"]


@pytest.mark.parametrize("change", [{"epoch": Account.epoch + 1}, {"status": AccountStatus.FROZEN}])
def test_a_code_dies_with_its_epoch_and_its_account(signed_in, account, change):
    with transaction():
        db.session.execute(update(Account).where(Account.id == account).values(**change))
    assert error_of(ask_token(signed_in)) == (400, "invalid_grant")


@pytest.mark.parametrize("change", [{"epoch": Account.epoch + 1}, {"status": AccountStatus.FROZEN}])
def test_an_access_token_dies_with_its_epoch_and_its_account(signed_in, account, change):
    tokens = redeem(signed_in)
    with transaction():
        db.session.execute(update(Account).where(Account.id == account).values(**change))
    assert userinfo(signed_in, tokens["access_token"]).status_code == 401


def test_many_threads_redeem_one_code_and_then_nothing_of_it_lives(signed_in):
    """At most one has it; all others are told that it is no good, and revoke what it gave."""
    answers = together(16, lambda _: ask_token(signed_in))
    won = [answer.get_json() for answer in answers if answer.status_code == 200]
    assert len(won) <= 1
    refused = [error_of(answer) for answer in answers if answer.status_code != 200]
    assert refused == [(400, "invalid_grant")] * (16 - len(won))
    for tokens in won:
        assert userinfo(signed_in, tokens["access_token"]).status_code == 401
    db.session.expire_all()
    code = db.session.query(AuthorizationCode).one()
    assert code.used_at is not None, "it was good until somebody had it"
    assert code.revoked_at is not None
    assert db.session.query(Token).count() == len(won)


def test_nothing_that_was_given_out_is_stored_in_clear(signed_in):
    tokens = redeem(signed_in)
    stored = " ".join(
        str(value)
        for row in (*db.session.query(AuthorizationCode), *db.session.query(Token))
        for value in vars(row).values()
    )
    for secret in (signed_in.callback["code"], tokens["access_token"], tokens["id_token"]):
        assert secret not in stored
