"""RP-initiated logout (RP-Initiated Logout 1.0, 2 and 3)."""

import base64
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import RSAKey

from idp import clock
from idp.clients import manage
from idp.clients.registration import Registration
from idp.extensions import transaction
from idp.keys import signing
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, Page
from tests.support.portal import register
from tests.support.tokens import ask_token, claims_of, redeem

BYE = "https://portal.example/bye"
ASTRAY = "La demande du service n’est pas valable"


@pytest.fixture
def hint(signed_in):
    return redeem(signed_in)["id_token"]


@pytest.fixture(params=["GET", "POST"])
def logout(request, signed_in):
    """Ask to sign out; a POST comes back by GET."""

    def ask(**fields):
        place = "query_string" if request.param == "GET" else "data"
        answer = signed_in.browser.open(
            "/logout", method=request.param, base_url=ISSUER, **{place: fields}
        )
        if answer.headers.get("Location", "").partition("?")[0] == "/logout":
            answer = signed_in.browser.get(answer.headers["Location"], base_url=ISSUER)
        return answer

    return ask


def still_signed_in(person):
    return person.authorize(prompt="none").callback.get("error") is None


def test_a_hint_of_this_session_ends_it_and_goes_back_with_state(logout, signed_in, hint):
    answer = logout(id_token_hint=hint, post_logout_redirect_uri=BYE, state="s &é")
    assert answer.headers["Location"] == f"{BYE}?state=s+%26%C3%A9"
    assert not still_signed_in(signed_in)


def test_a_code_that_is_under_way_ends_with_the_session(person, account):
    """Or its client would have tokens, and a session that it is never told the end of."""
    person.authorize().two_factors(ADDRESS)
    code = dict(person.callback)
    person.get("/logout").press("Se déconnecter")
    person.callback = code
    assert ask_token(person).get_json()["error"] == "invalid_grant"


def test_without_an_address_it_ends_on_our_own_page(logout, signed_in, hint):
    assert logout(id_token_hint=hint).headers["Location"] == "/logout/done"
    assert not still_signed_in(signed_in)


def test_an_expired_hint_is_still_a_hint(logout, signed_in, hint):
    with time_machine.travel(clock.now() + timedelta(minutes=20), tick=True):
        answer = logout(id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert answer.headers["Location"] == BYE


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        BYE + "/",
        BYE + "?x",
        BYE.upper(),
        "https://portal.example/callback",
        "javascript:alert(1)",
    ],
)
def test_an_unregistered_address_is_never_gone_to_and_asks_first(logout, signed_in, hint, uri):
    answer = Page(logout(id_token_hint=hint, post_logout_redirect_uri=uri, state="s"))
    assert answer.step == "logout"
    assert ASTRAY in answer.text
    assert still_signed_in(signed_in)
    signed_in.get(f"/logout?{urlencode({'id_token_hint': hint, 'post_logout_redirect_uri': uri})}")
    assert signed_in.press("Se déconnecter").step == "logout-done"


def test_an_empty_address_is_none(logout, signed_in, hint):
    answer = logout(id_token_hint=hint, post_logout_redirect_uri="")
    assert answer.headers["Location"] == "/logout/done"


def test_without_a_hint_the_user_is_asked(logout, signed_in):
    answer = logout(client_id=signed_in.client.client_id, post_logout_redirect_uri=BYE, state="s")
    assert Page(answer).step == "logout"
    assert ASTRAY not in Page(answer).text
    assert still_signed_in(signed_in)
    signed_in.get(f"/logout?client_id={signed_in.client.client_id}&post_logout_redirect_uri={BYE}")
    signed_in.press("Se déconnecter")
    assert signed_in.step == "callback"
    assert not still_signed_in(signed_in)


def forged(hint, how):
    header, payload, signature = hint.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    own = RSAKey.generate_key(2048)
    if how == "altered":
        return f"{header}.{payload[:-2]}AA.{signature}"
    if how == "none":
        empty = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
        return f"{empty}.{payload}."
    if how == "own key":
        return jwt.encode({"alg": "RS256", "typ": "JWT"}, claims, own)
    if how == "other issuer":
        key = signing.active("RS256")
        claims["iss"] = "https://evil.example"
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key.kid}, claims, key)
    if how == "other type":
        key = signing.active("RS256")
        return jwt.encode({"alg": "RS256", "typ": "at+jwt", "kid": key.kid}, claims, key)
    return how


@pytest.mark.parametrize("fields", [{}, {"state": "s"}], ids=["nothing", "state"])
def test_who_says_nothing_of_themselves_signs_out_after_a_question(logout, signed_in, fields):
    answer = Page(logout(**fields))
    assert answer.step == "logout"
    assert ASTRAY not in answer.text
    signed_in.get("/logout?state=s").press("Se déconnecter")
    assert signed_in.step == "logout-done"
    assert not still_signed_in(signed_in)


def test_an_address_without_hint_and_client_is_not_gone_to(logout, signed_in):
    assert ASTRAY in Page(logout(post_logout_redirect_uri=BYE)).text
    signed_in.get(f"/logout?{urlencode({'post_logout_redirect_uri': BYE})}")
    assert signed_in.press("Se déconnecter").step == "logout-done"


@pytest.mark.parametrize(
    "how",
    ["altered", "none", "own key", "other issuer", "other type", "a.b.c", "x", "é" * 9, "x" * 9000],
)
def test_a_hint_that_is_not_ours_ends_nothing_and_goes_nowhere(logout, signed_in, hint, how):
    answer = logout(id_token_hint=forged(hint, how), post_logout_redirect_uri=BYE)
    assert Page(answer).step in {"logout", "error"}
    assert "Location" not in answer.headers
    assert still_signed_in(signed_in)


def test_a_hint_of_another_session_asks_first(logout, signed_in, hint):
    make_account("paul@example.ch")
    signed_in.authorize(prompt="login").two_factors("paul@example.ch")
    assert Page(logout(id_token_hint=hint, post_logout_redirect_uri=BYE)).step == "logout"
    assert still_signed_in(signed_in)


def test_an_older_session_of_the_same_person_asks_first(logout, signed_in, hint):
    signed_in.authorize(prompt="login").two_factors(ADDRESS)
    assert Page(logout(id_token_hint=hint)).step == "logout"


def test_hint_and_client_must_agree(logout, signed_in, hint):
    with transaction():
        other = manage.create(Registration("o", ("https://o.example/cb",)))[0].client_id
    answer = logout(id_token_hint=hint, client_id=other)
    assert Page(answer).step == "error"
    assert still_signed_in(signed_in)


def test_without_a_session_a_good_hint_goes_back_and_nothing_else_does(logout, signed_in, hint):
    logout(id_token_hint=hint)
    again = logout(id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert again.headers["Location"] == BYE
    named = logout(client_id=signed_in.client.client_id, post_logout_redirect_uri=BYE)
    assert named.headers["Location"] == "/logout/done"


def test_confirming_needs_our_own_form(signed_in):
    answer = signed_in.browser.post("/logout/confirm", base_url=ISSUER)
    assert answer.status_code == 400
    assert still_signed_in(signed_in)


def test_each_client_knows_the_session_by_another_name(signed_in):
    portal, other = signed_in.client, register()
    names = []
    for client in (portal, other, portal, other):
        signed_in.client = client
        signed_in.authorize(prompt="none")
        names.append(claims_of(redeem(signed_in))["sid"])
    assert names[0] == names[2]
    assert names[1] == names[3]
    assert names[0] != names[1]
