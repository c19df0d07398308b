from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from idp import clock
from idp.clients import manage, registry, strangers
from idp.clients.client import ClientSecret
from idp.clients.registration import Registration
from idp.clients.rules import InvalidRegistrationError
from idp.extensions import db, settings, transaction
from tests.support.signing import make_key, public_set

HOUR = timedelta(hours=1)


def register(client_id: str = "", **changes: Any) -> tuple[str, str]:
    """`client_id` and secret of a new registration."""
    new = Registration("Portail", ("https://portal.example/callback",), **changes)
    with transaction():
        client, secret = manage.create(new, client_id)
        return client.client_id, secret or ""


def matches(client_id: str, secret: str) -> bool:
    found = registry.find(client_id)
    assert found
    return found.secret_matches(secret)


def test_an_unknown_client_is_none(app: Flask) -> None:
    assert registry.find("nobody") is None
    assert registry.by_row_id(0) is None


def test_a_new_client_is_found_by_its_name_and_by_its_row(app: Flask) -> None:
    client_id, _secret = register()
    found = registry.find(client_id)
    assert found
    assert registry.by_row_id(found.id) == found
    assert found.redirect_uris == ("https://portal.example/callback",)
    assert "openid" in found.scope
    assert found.require_pkce


def test_the_secret_is_kept_as_a_digest_only(app: Flask) -> None:
    client_id, secret = register()
    assert len(secret) == 43
    (digest,) = db.session.scalars(select(ClientSecret.digest))
    assert secret not in digest
    assert matches(client_id, secret)


@pytest.mark.parametrize("wrong", ["", "x", "é", "\ud800", "a" * 10_000])
def test_no_other_text_is_the_secret(app: Flask, wrong: str) -> None:
    client_id, _secret = register()
    assert not matches(client_id, wrong)


def test_a_public_client_has_no_secret_and_none_matches(app: Flask) -> None:
    client_id, secret = register(token_endpoint_auth_method="none")
    assert secret == ""
    assert not matches(client_id, "")


def test_a_name_is_registered_once(app: Flask) -> None:
    register(client_id="portal")
    with pytest.raises(InvalidRegistrationError, match="is taken"):
        register(client_id="portal")


def test_two_secrets_overlap_while_an_application_changes_over(app: Flask) -> None:
    client_id, former = register()
    with time_machine.travel(datetime(2027, 1, 1, tzinfo=UTC), tick=False) as time:
        with transaction():
            fresh = manage.rotate_secret(client_id, HOUR)
        assert matches(client_id, former)
        assert matches(client_id, fresh)
        time.shift(HOUR)
        assert not matches(client_id, former)
        assert matches(client_id, fresh)


def test_rotating_again_never_lengthens_a_former_secrets_life(app: Flask) -> None:
    client_id, former = register()
    with time_machine.travel(datetime(2027, 1, 1, tzinfo=UTC), tick=False) as time:
        with transaction():
            manage.rotate_secret(client_id, HOUR)
            manage.rotate_secret(client_id, 10 * HOUR)
        time.shift(HOUR)
        assert not matches(client_id, former)


def test_no_overlap_ends_the_former_secret_at_once(app: Flask) -> None:
    client_id, former = register()
    with transaction():
        manage.rotate_secret(client_id, timedelta(0))
    assert not matches(client_id, former)


def test_a_public_client_gets_no_secret_by_rotation(app: Flask) -> None:
    client_id, _secret = register(token_endpoint_auth_method="none")
    with pytest.raises(InvalidRegistrationError, match="there is no secret"), transaction():
        manage.rotate_secret(client_id, HOUR)


def test_a_change_is_seen_at_once_by_who_made_it(app: Flask) -> None:
    client_id, _secret = register()
    registry.find(client_id)
    with transaction():
        manage.update_client(client_id, {"client_name": "Autre"})
    found = registry.find(client_id)
    assert found
    assert found.client_name == "Autre"


def test_a_change_made_elsewhere_is_seen_within_two_seconds(
    app: Flask, seconds: list[float]
) -> None:
    client_id, _secret = register()
    assert registry.find(client_id)
    held_elsewhere = registry._cache._kept[db.engine]
    with transaction():
        manage.remove(client_id)
    registry._cache._kept[db.engine] = held_elsewhere
    assert registry.find(client_id)
    seconds[0] += 2
    assert registry.find(client_id) is None


def test_an_update_is_checked_with_what_stays(app: Flask) -> None:
    client_id, _secret = register()
    with pytest.raises(InvalidRegistrationError, match="offline_access"), transaction():
        manage.update_client(client_id, {"scope": "openid offline_access"})
    stored = manage.get(client_id)
    assert stored
    assert stored.registration.scope == Registration.scope


@pytest.mark.parametrize(
    "methods", [("none", "client_secret_basic"), ("client_secret_post", "none")]
)
def test_a_client_cannot_change_between_public_and_confidential(
    app: Flask, methods: tuple[str, str]
) -> None:
    before, after = methods
    client_id, _secret = register(token_endpoint_auth_method=before)
    with pytest.raises(InvalidRegistrationError, match="public and confidential"), transaction():
        manage.update_client(client_id, {"token_endpoint_auth_method": after})


def test_a_client_may_change_how_it_sends_its_secret(app: Flask) -> None:
    client_id, secret = register()
    with transaction():
        manage.update_client(client_id, {"token_endpoint_auth_method": "client_secret_post"})
    assert matches(client_id, secret)


def test_a_deleted_client_leaves_no_secret(app: Flask) -> None:
    client_id, _secret = register()
    with transaction():
        manage.rotate_secret(client_id, HOUR)
        manage.remove(client_id)
    assert registry.find(client_id) is None
    assert db.session.scalar(select(func.count()).select_from(ClientSecret)) == 0


@pytest.mark.parametrize("act", ["update", "rotate", "remove"])
def test_what_is_not_registered_cannot_be_changed(app: Flask, act: str) -> None:
    acts = {
        "update": lambda: manage.update_client("nobody", {}),
        "rotate": lambda: manage.rotate_secret("nobody", HOUR),
        "remove": lambda: manage.remove("nobody"),
    }
    with pytest.raises(InvalidRegistrationError, match="is not registered"), transaction():
        acts[act]()


def test_clients_are_listed_by_name(app: Flask) -> None:
    for name in ("Zoo", "Archives"):
        with transaction():
            manage.create(Registration(name, ("https://portal.example/",)))
    assert [client.registration.client_name for client in manage.listing()] == ["Archives", "Zoo"]


def test_who_proved_itself_by_a_key_gets_no_secret_by_a_change(app: Flask) -> None:
    """The secret would have to be told to somebody; there is none to go on with."""
    keys = {"token_endpoint_auth_method": "private_key_jwt", "jwks": public_set(make_key())}
    client_id, _none = register(**keys)
    for method in ("client_secret_basic", "client_secret_post"):
        with (
            pytest.raises(InvalidRegistrationError, match="register the client anew"),
            transaction(),
        ):
            manage.update_client(client_id, {"token_endpoint_auth_method": method})
    found = registry.find(client_id)
    assert found
    assert found.token_endpoint_auth_method == "private_key_jwt"


def kept(client_id: str) -> datetime | None:
    client = manage.get(client_id)
    assert client
    return client.kept_until


def test_whoever_is_used_stays_and_is_written_once_in_half_the_time(app: Flask) -> None:
    unused = settings.registration_unused
    with time_machine.travel(datetime(2027, 1, 1, tzinfo=UTC), tick=False) as time:
        with transaction():
            new = Registration("Archives", ("https://archive.example/cb",), first_party=False)
            client_id = strangers.register(new, vouched=False).client.client_id
        first = kept(client_id)
        assert first == clock.now() + unused
        for gone, noted in ((unused / 2, False), (timedelta(seconds=1), True)):
            time.shift(gone)
            client = registry.find(client_id)
            assert client
            with transaction():
                strangers.note_use(client)
            assert kept(client_id) == (clock.now() + unused if noted else first)


def test_whom_somebody_vouched_for_is_not_noted(app: Flask) -> None:
    client_id, _secret = register()
    client = registry.find(client_id)
    assert client
    with transaction():
        strangers.note_use(client)
    assert kept(client_id) is None
