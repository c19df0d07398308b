"""Registering relying parties, for administrators. Everything runs in the caller's transaction."""

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update

from idp import clock
from idp.clients import registry
from idp.clients.client import Client, ClientSecret
from idp.clients.registration import Registration
from idp.clients.rules import InvalidRegistrationError, check, check_client_id
from idp.extensions import affected, db
from idp.security import tokens


def create(registration: Registration, client_id: str = "") -> tuple[Client, str | None]:
    """Register; the client, and its secret unless it is public. The secret is not kept.

    A `client_id` is made up where none is named. Raises InvalidRegistrationError.
    """
    client_id = client_id or secrets.token_hex(10)
    check_client_id(client_id)
    check(registration)
    if get(client_id):
        raise InvalidRegistrationError("client_id", "is taken; choose another or leave it out")
    _check_unique(registration, client_id)
    client = Client(client_id=client_id, registration=registration)
    db.session.add(client)
    db.session.flush()
    secret = _add_secret(client) if registration.has_secret else None
    registry.changed()
    return client, secret


def update_client(client_id: str, changes: dict[str, Any]) -> Client:
    """Change the named metadata; the whole registration is checked again.

    Raises InvalidRegistrationError, also when there is no such client.
    """
    return rewrite(client_id, changed_by(client_id, changes))


def rewrite(client_id: str, new: Registration) -> Client:
    """Put another registration in the place of the present one. Raises InvalidRegistrationError."""
    client = to_change(client_id)
    check(new)
    _check_unique(new, client_id)
    if new.public != client.registration.public:
        raise InvalidRegistrationError(_METHOD, "cannot change between public and confidential")
    if new.has_secret and not client.secrets:
        raise InvalidRegistrationError(_METHOD, "needs a secret: register the client anew")
    client.registration = new
    registry.changed()
    return client


def changed_by(client_id: str, changes: dict[str, Any]) -> Registration:
    """What the registration would be. Texts in languages that are not named stay; an empty one goes.

    Raises InvalidRegistrationError when there is no such client.
    """
    before = to_change(client_id).registration
    said = {**before.localized, **changes.get("localized", {})}
    kept = {name: text for name, text in said.items() if text}
    return replace(before, **{**changes, "localized": kept})


def rotate_secret(client_id: str, overlap: timedelta) -> str:
    """A second secret; the former ones end after `overlap`. Raises InvalidRegistrationError."""
    client = to_change(client_id)
    if not client.registration.has_secret:
        method = client.registration.token_endpoint_auth_method
        raise InvalidRegistrationError(_METHOD, f"is {method}: there is no secret")
    end = clock.now() + overlap
    db.session.execute(
        update(ClientSecret)
        .where(ClientSecret.client_id == client.id)
        .where(ClientSecret.expires_at.is_(None) | (ClientSecret.expires_at > end))
        .values(expires_at=end)
    )
    secret = _add_secret(client)
    registry.changed()
    return secret


def remove(client_id: str) -> None:
    """Delete the registration with all its codes and tokens. Raises InvalidRegistrationError."""
    client = to_change(client_id)
    affected(delete(Client).where(Client.id == client.id))
    registry.changed()


def get(client_id: str) -> Client | None:
    """The registration as stored."""
    return db.session.scalar(select(Client).where(Client.client_id == client_id))


def listing() -> list[Client]:
    """Every registration, by name."""
    found = db.session.scalars(select(Client))
    return sorted(found, key=lambda client: (client.registration.client_name, client.id))


_METHOD = "token_endpoint_auth_method"


def _check_unique(new: Registration, client_id: str) -> None:
    """A resource server has its address and its scopes for itself, so that people who agree to a scope agree to
    one server. Whoever registers another meanwhile waits at `changed`."""
    if not new.resource_uri:
        return
    registry.changed()
    others = [one.registration for one in listing() if one.client_id != client_id]
    if new.resource_uri in {one.resource_uri for one in others}:
        raise InvalidRegistrationError("resource_uri", "is that of another client")
    elsewhere = {scope for one in others for scope in one.resource_scope.split()}
    if taken := sorted(elsewhere & set(new.resource_scope.split())):
        raise InvalidRegistrationError(
            "resource_scope", f"has {taken[0]}: that is another client's"
        )


def to_change(client_id: str) -> Client:
    """The registration as it is now, and stays until the transaction ends. Raises InvalidRegistrationError."""
    rows = select(Client).where(Client.client_id == client_id).with_for_update(key_share=True)
    client = db.session.scalar(rows, execution_options={"populate_existing": True})
    if client is None:
        raise InvalidRegistrationError("client_id", "is not registered")
    return client


def _add_secret(client: Client) -> str:
    secret = tokens.new_token()
    db.session.add(ClientSecret(client_id=client.id, digest=tokens.digest(secret)))
    db.session.flush()
    return secret
