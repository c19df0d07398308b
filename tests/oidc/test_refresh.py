"""Refresh tokens: only for offline_access, rotated, watched for reuse (RFC 6749 6, RFC 9700 4.14)."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from idp import clock
from idp.accounts.account import Account
from idp.clients import manage
from idp.clients.registration import Registration
from idp.extensions import db, transaction
from idp.grants.models import AuthorizationCode, Token, TokenKind
from tests.support.journey import ISSUER
from tests.support.together import together
from tests.support.tokens import redeem, refresh, userinfo

SCOPE = "openid email profile offline_access"


@pytest.fixture
def tokens(at_home):
    return redeem(at_home.authorize(scope=SCOPE))


def refused(answer, error="invalid_grant"):
    return answer.status_code == 400 and answer.get_json()["error"] == error


def test_without_offline_access_there_is_no_refresh_token(signed_in):
    assert "refresh_token" not in redeem(signed_in)


def test_each_use_gives_a_new_pair(person, tokens):
    first = refresh(person, tokens["refresh_token"]).get_json()
    assert first["refresh_token"] != tokens["refresh_token"]
    assert first["scope"] == SCOPE
    second = refresh(person, first["refresh_token"]).get_json()
    assert userinfo(person, second["access_token"]).status_code == 200


def test_reuse_is_refused_and_kills_the_whole_family(person, tokens):
    fresh = refresh(person, tokens["refresh_token"]).get_json()
    assert refused(refresh(person, tokens["refresh_token"]))
    assert refused(refresh(person, fresh["refresh_token"]))
    for access in (tokens["access_token"], fresh["access_token"]):
        assert userinfo(person, access).status_code == 401


def test_many_threads_use_one_token_and_then_nothing_of_the_family_lives(person, tokens):
    """At most one has a new pair; all others are told that it is no good, and end the family."""
    answers = together(12, lambda _: refresh(person, tokens["refresh_token"]))
    won = [answer.get_json() for answer in answers if answer.status_code == 200]
    assert len(won) <= 1
    assert sum(refused(answer) for answer in answers) == 12 - len(won)
    for pair in (tokens, *won):
        assert refused(refresh(person, pair["refresh_token"]))
        assert userinfo(person, pair["access_token"]).status_code == 401
    db.session.expire_all()
    first = db.session.query(Token).filter_by(kind=TokenKind.REFRESH).order_by(Token.id).first()
    assert first.used_at is not None, "it was good until somebody had it"
    assert db.session.query(AuthorizationCode).one().revoked_at is not None
    assert db.session.query(Token).count() == 2 * (1 + len(won))


def test_an_unused_token_dies_after_thirty_days(person, tokens):
    with time_machine.travel(clock.now() + timedelta(days=31), tick=True):
        assert refused(refresh(person, tokens["refresh_token"]))


def test_a_family_in_use_dies_after_half_a_year(person, tokens):
    start, current = clock.now(), tokens["refresh_token"]
    for month in range(1, 9):
        with time_machine.travel(start + timedelta(days=20 * month), tick=True):
            current = refresh(person, current).get_json()["refresh_token"]
    with time_machine.travel(start + timedelta(days=181), tick=True):
        assert refused(refresh(person, current))


def test_the_scope_can_be_narrowed_for_one_access_token_but_never_widened(person, tokens):
    narrow = refresh(person, tokens["refresh_token"], scope="openid email").get_json()
    assert narrow["scope"] == "openid email"
    assert "name" not in userinfo(person, narrow["access_token"]).get_json()
    assert refused(refresh(person, narrow["refresh_token"], scope="openid phone"), "invalid_scope")
    whole = refresh(person, narrow["refresh_token"]).get_json()
    assert whole["scope"] == SCOPE


def test_another_client_cannot_use_it_and_does_not_harm_it(person, tokens):
    with transaction():
        new = Registration(
            "other",
            (person.client.redirect_uri,),
            grant_types=("authorization_code", "refresh_token"),
        )
        other, secret = manage.create(new)
        other_id = other.client_id
    answer = person.app.test_client().post(
        "/token",
        base_url=ISSUER,
        auth=(other_id, secret),
        data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
    )
    assert refused(answer)
    assert refresh(person, tokens["refresh_token"]).status_code == 200


def test_a_client_not_registered_for_it_cannot_refresh(person, tokens):
    with transaction():
        changes = {"grant_types": ("authorization_code",), "scope": "openid"}
        manage.update_client(person.client.client_id, changes)
    assert refused(refresh(person, tokens["refresh_token"]), "unauthorized_client")


def test_it_dies_with_the_epoch(person, tokens, account):
    with transaction():
        db.session.execute(update(Account).values(epoch=Account.epoch + 1))
    assert refused(refresh(person, tokens["refresh_token"]))


@pytest.mark.parametrize("value", ["", "x", "é", "\x00", "x" * 3000])
def test_what_is_no_token_is_refused(person, tokens, value):
    assert refresh(person, value).status_code == 400


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(person, tokens):
    assert refused(refresh(person, tokens["access_token"]))
    assert userinfo(person, tokens["refresh_token"]).status_code == 401


def test_a_scope_that_the_registration_lost_is_given_no_more(person, at_home):
    tokens = redeem(at_home.authorize(scope="openid email offline_access"))
    with transaction():
        manage.update_client(person.client.client_id, {"scope": "openid offline_access"})
    assert set(userinfo(person, tokens["access_token"]).get_json()) == {"sub"}
    fresh = refresh(person, tokens["refresh_token"]).get_json()
    assert fresh["scope"] == "openid offline_access"
