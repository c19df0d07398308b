"""OpenID Connect Back-Channel Logout 1.0: clients are told, whatever ended the session."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
import time_machine
from joserfc import jwe, jwt
from sqlalchemy import func, select

from idp import clock
from idp.accounts import changes
from idp.accounts.account import Account
from idp.extensions import db, settings, transaction
from idp.oidc import backchannel, hints
from idp.sessions.logout_notices import LogoutNotice
from idp.worker import Worker
from tests.support.accounts import ADDRESS
from tests.support.agreeing import change_client
from tests.support.journey import ISSUER
from tests.support.portal import PORTAL, register
from tests.support.receiver import receiving
from tests.support.settings import override
from tests.support.signing import make_key, public_set, published, publishing
from tests.support.tokens import claims_of, redeem

pytestmark = pytest.mark.usefixtures("near")


@pytest.fixture
def receiver(person):
    """The portal's address for it."""
    with receiving() as receiver:
        change_client(person, backchannel_logout_uri=receiver.url)
        yield receiver


def sign_in(person):
    """The claims of a fresh ID token."""
    person.authorize(prompt="login").two_factors(ADDRESS)
    return claims_of(redeem(person))


def tell():
    """As the worker does; how many were told or tried."""
    count = 0
    while backchannel.tell_next() is not None:
        count += 1
    return count


def waiting():
    return db.session.scalar(select(func.count()).select_from(LogoutNotice))


def read(form):
    return jwt.decode(form["logout_token"], published(), algorithms=["RS256"])


def sign_out(person, token):
    person.get(f"/logout?id_token_hint={token}")


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


def end_everything(row):
    assert changes.end_everything(row.id, row.epoch)


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


@pytest.mark.parametrize("status", [400, 500, 302])
def test_what_was_not_taken_is_told_again_and_again_for_a_day(person, account, receiver, status):
    receiver.status = status
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as now:
        sign_in(person)
        person.get("/logout").press("Se déconnecter")
        assert tell() == 1
        assert tell() == 0
        for seconds in (5, 10, 20):
            backchannel._silent.clear()
            now.shift(timedelta(seconds=seconds - 1))
            assert tell() == 0, "not yet"
            now.shift(timedelta(seconds=1))
            assert tell() == 1
        tokens = [read(form).claims for form in receiver.forms]
        assert len({claims["jti"] for claims in tokens}) == 4
        assert len({claims["sid"] for claims in tokens}) == 1
        backchannel._silent.clear()
        receiver.status = 204
        now.shift(timedelta(hours=1))
        assert tell() == 1
        assert waiting() == 0


def test_after_a_day_it_is_given_up(person, account, receiver):
    receiver.status = 500
    sign_in(person)
    person.get("/logout").press("Se déconnecter")
    tell()
    backchannel._silent.clear()
    with time_machine.travel(clock.now() + timedelta(days=1, seconds=1), tick=False):
        assert tell() == 0


def test_a_client_that_is_silent_keeps_no_other_waiting(person, another, account, receiver):
    receiver.status = 500
    with receiving() as there:
        quick = replace(PORTAL, client_name="Archives", backchannel_logout_uri=there.url)
        other = another()
        for one in (person, another()):
            sign_in(one)
        other.client = register(quick)
        sign_in(other)
        with transaction():
            end_everything(db.session.get_one(Account, account))
        assert tell() == 2, "the silent one once, and the other"
        assert len(receiver.forms) == 1
        assert len(there.forms) == 1


def test_a_client_at_which_we_stumble_keeps_no_other_waiting(
    person, another, account, receiver, monkeypatch
):
    for one in (person, another()):
        sign_in(one)
        one.get("/logout").press("Se déconnecter")
    stumbled = []

    def stumble(*_arguments):
        stumbled.append(1)
        raise RuntimeError("a bug")

    monkeypatch.setattr(backchannel, "logout_token", stumble)
    with pytest.raises(RuntimeError):
        backchannel.tell_next()
    assert backchannel.tell_next() is None
    assert (len(stumbled), waiting()) == (1, 2)


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


def test_two_workers_tell_of_a_session_once(person, account, receiver, app):
    sign_in(person)
    person.get("/logout").press("Se déconnecter")
    first = backchannel.logout_notices.lease(frozenset())
    assert first
    assert backchannel.logout_notices.lease(frozenset()) is None
    with time_machine.travel(clock.now() + timedelta(seconds=61), tick=False):
        again = backchannel.logout_notices.lease(frozenset())
        assert again
        with transaction():
            backchannel.logout_notices.postpone(first)
        assert db.session.get_one(LogoutNotice, again.id).due_at == again.until, (
            "the lease was lost"
        )


def test_the_neighbourhood_is_not_told_where_that_is_not_allowed(person, account, receiver, app):
    sign_in(person)
    person.get("/logout").press("Se déconnecter")
    with override(app, client_networks=()):
        assert tell() == 1
    assert receiver.forms == []
    assert waiting() == 1


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


@pytest.mark.parametrize("alg", ["", "RSA-OAEP"])
def test_its_keys_are_asked_for_only_where_something_is_encrypted(person, account, receiver, alg):
    sign_in(person)
    with publishing(make_key("RS256")) as keys:
        change_client(person, jwks_uri=keys.url, id_token_encrypted_response_alg=alg)
        person.get("/logout").press("Se déconnecter")
        assert tell() == 1
        assert (keys.asked, len(receiver.forms)) == (1 if alg else 0, 1)


def test_the_worker_does_it_by_itself(person, account, receiver, app):
    sign_in(person)
    person.get("/logout").press("Se déconnecter")
    worker = Worker(app)
    worker.start()
    try:
        for _ in range(100):
            if receiver.forms:
                break
            worker._stopping.wait(0.1)
    finally:
        worker.stop()
    assert len(receiver.forms) == 1


def test_discovery_says_so(client):
    document = client.get("/.well-known/openid-configuration", base_url=ISSUER).get_json()
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True
