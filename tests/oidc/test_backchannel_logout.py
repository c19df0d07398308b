"""OpenID Connect Back-Channel Logout 1.0: clients are told, whatever ended the session."""

from dataclasses import replace
from typing import cast

import pytest
import time_machine
from joserfc import jwe

from idp import clock
from idp.accounts import changes
from idp.accounts.account import Account
from idp.extensions import db, settings, transaction
from idp.oidc import hints
from tests.support.accounts import ADDRESS
from tests.support.agreeing import change_client
from tests.support.journey import ISSUER
from tests.support.logouts import end_everything, read, sign_in, sign_out, tell, waiting
from tests.support.portal import PORTAL, register
from tests.support.receiver import receiving
from tests.support.signing import make_key, public_set
from tests.support.tokens import claims_of, redeem

pytestmark = pytest.mark.usefixtures("near")


def test_a_logout_token_says_who_and_which_session(person, account, receiver):
    person.authorize().two_factors(ADDRESS)
    tokens = redeem(person)
    mine = claims_of(tokens)
    sign_out(person, tokens["id_token"])
    assert tell() == 1
    (form,) = receiver.forms
    assert set(form) == {"logout_token"}
    token = read(form)
    assert token.header["typ"] == "logout+jwt"
    claims = token.claims
    assert set(claims) == {"iss", "aud", "iat", "exp", "jti", "sub", "sid", "events"}
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    for name in ("iss", "aud", "sub", "sid"):
        assert claims[name] == mine[name]
    assert 0 < claims["exp"] - claims["iat"] <= 120
    assert waiting() == 0
    assert tell() == 0


def test_it_is_never_taken_for_an_id_token(person, account, receiver):
    sign_in(person)
    person.get("/logout").press("Se déconnecter")
    tell()
    assert hints.read(receiver.forms[0]["logout_token"]) is None


def freeze(row):
    assert changes.freeze(row.id, row.epoch)


def new_password(row):
    assert changes.set_password(row.id, row.epoch, row.password_hash)


def close(row):
    assert changes.close(row.id, row.epoch, row.sub)


@pytest.mark.parametrize("act", [end_everything, freeze, new_password, close])
def test_whatever_raises_the_epoch_is_told_once_of_each_session(
    person, another, account, receiver, act
):
    other = another()
    sids = {sign_in(one)["sid"] for one in (person, other)}
    with transaction():
        act(db.session.get_one(Account, account))
    assert tell() == 2
    assert {read(form).claims["sid"] for form in receiver.forms} == sids
    if act is not close:
        with transaction():
            end_everything(db.session.get_one(Account, account))
        assert tell() == 0, "they were over already"


def test_a_new_sign_in_tells_of_the_session_that_it_replaces(person, account, receiver):
    first = sign_in(person)["sid"]
    assert sign_in(person)["sid"] != first
    assert tell() == 1
    assert read(receiver.forms[0]).claims["sid"] == first


def test_each_client_is_told_its_own_name_for_the_session(person, account, receiver, app, inbox):
    with receiving() as there:
        second = replace(PORTAL, client_name="Archives", backchannel_logout_uri=there.url)
        sids = {sign_in(person)["sid"]}
        portal, person.client = person.client, register(second)
        person.authorize()
        theirs = claims_of(redeem(person))
        sids.add(theirs["sid"])
        person.client = portal
        person.get("/logout").press("Se déconnecter")
        assert tell() == 2
        (form,) = there.forms
        assert read(form).claims["sid"] == theirs["sid"]
        assert read(form).claims["aud"] == theirs["aud"]
    assert len(sids) == 2


def test_an_access_that_the_person_withdraws_is_told_of_each_session_once(
    person, another, account, receiver
):
    other = another()
    sids = {sign_in(one)["sid"] for one in (person, other)}
    person.get("/account/applications").press("Retirer l’accès")
    assert tell() == 2
    assert {read(form).claims["sid"] for form in receiver.forms} == sids
    person.get("/logout").press("Se déconnecter")
    assert tell() == 0, "it was told"
    other.authorize()
    assert claims_of(redeem(other))["sid"] not in sids, "the session goes by a new name there"


def test_a_client_without_an_address_costs_nothing_and_is_told_nothing(person, account):
    sign_in(person)
    person.get("/logout").press("Se déconnecter")
    assert waiting() == 0


def test_a_session_that_lay_idle_is_told_of_when_its_owner_signs_out(person, account, receiver):
    """Nobody was told before: the session might as well have gone on."""
    person.authorize(prompt="login").two_factors(ADDRESS)
    tokens = redeem(person)
    with time_machine.travel(clock.now() + settings.session_idle, tick=False):
        sign_out(person, tokens["id_token"])
        assert tell() == 1
        assert read(receiver.forms[0]).claims["sid"] == claims_of(tokens)["sid"]
        sign_out(person, tokens["id_token"])
        assert tell() == 0


def test_a_session_that_lay_idle_is_told_of_when_somebody_signs_in(person, account, receiver):
    sign_in(person)
    with time_machine.travel(clock.now() + settings.session_idle, tick=False):
        sign_in(person)
        assert tell() == 1


def test_it_is_encrypted_where_id_tokens_are(person, account, receiver):
    own = make_key("RS256")
    sign_in(person)
    change_client(person, jwks=public_set(own), id_token_encrypted_response_alg="RSA-OAEP")
    person.get("/logout").press("Se déconnecter")
    tell()
    algorithms = ["RSA-OAEP", "A128CBC-HS256"]
    opened = jwe.decrypt_compact(receiver.forms[0]["logout_token"], own, algorithms=algorithms)
    inside = cast("bytes", opened.plaintext).decode()
    assert read({"logout_token": inside}).claims["sid"]


def test_discovery_says_so(client):
    document = client.get("/.well-known/openid-configuration", base_url=ISSUER).get_json()
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True
