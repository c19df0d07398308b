"""Step-up (RFC 9470): userinfo asks for a better sign-in where the client is registered so."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.clients import manage
from idp.extensions import transaction
from tests.support.accounts import ADDRESS
from tests.support.tokens import redeem, refresh, userinfo

EMAIL, SMS = "urn:seuil:acr:email", "urn:seuil:acr:sms"


@pytest.fixture
def need(person):
    def register(**changes):
        with transaction():
            manage.update_client(person.client.client_id, changes)

    return register


def test_a_sign_in_that_is_good_enough_is_good_enough(at_home, need):
    need(userinfo_max_age=60, userinfo_acr_values=(SMS, EMAIL))
    tokens = redeem(at_home.authorize())
    assert userinfo(at_home, tokens["access_token"]).status_code == 200


def test_a_level_that_was_not_reached_is_asked_for(at_home, need):
    need(userinfo_acr_values=(SMS,))
    answer = userinfo(at_home, redeem(at_home.authorize())["access_token"])
    assert (answer.status_code, answer.get_json()["error"]) == (
        401,
        "insufficient_user_authentication",
    )
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer error="insufficient_user_authentication"')
    assert f'acr_values="{SMS}"' in challenge
    assert "max_age" not in challenge
    assert ADDRESS not in answer.get_data(as_text=True)


def test_a_fresh_token_of_an_old_sign_in_is_not_enough_and_a_new_sign_in_is(at_home, need):
    need(userinfo_max_age=300)
    tokens = redeem(at_home.authorize(scope="openid email offline_access"))
    with time_machine.travel(clock.now() + timedelta(minutes=6), tick=True):
        fresh = refresh(at_home, tokens["refresh_token"]).get_json()
        answer = userinfo(at_home, fresh["access_token"])
        assert answer.status_code == 401
        assert 'max_age="300"' in answer.headers["WWW-Authenticate"]
        at_home.authorize(max_age="300").two_factors(ADDRESS)
        assert userinfo(at_home, redeem(at_home)["access_token"]).status_code == 200
