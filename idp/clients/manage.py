"""Registering relying parties, for administrators. Everything runs in the caller's transaction."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update

from idp import clock
from idp.clients import registry
from idp.clients.client import Client, ClientSecret
from idp.clients.rules import InvalidRegistrationError, check
from idp.extensions import affected, db
from idp.security import tokens


@dataclass(frozen=True)
class NewClient:
    """A registration to be made, in the words of RFC 7591. `client_id` is made up when empty."""

    client_name: str
    redirect_uris: tuple[str, ...]
    client_id: str = ""
    post_logout_redirect_uris: tuple[str, ...] = ()
    client_uri: str = ""
    initiate_login_uri: str = ""
    grant_types: tuple[str, ...] = ("authorization_code",)
    scope: str = "openid profile email phone address"
    token_endpoint_auth_method: str = "client_secret_basic"
    id_token_signed_response_alg: str = "RS256"
    require_pkce: bool = True
    default_max_age: int | None = None


def create(new: NewClient) -> tuple[Client, str | None]:
    """Register; the client, and its secret unless it is public. The secret is not kept.

    Raises InvalidRegistrationError.
    """
    values = {**vars(new), "client_id": new.client_id or secrets.token_hex(10)}
    check(values)
    if get(values["client_id"]):
        raise InvalidRegistrationError("client_id", "is taken; choose another or leave it out")
    client = Client(**{name: _column(value) for name, value in values.items()})
    db.session.add(client)
    db.session.flush()
    public = client.token_endpoint_auth_method == "none"
    secret = None if public else _add_secret(client)
    registry.changed()
    return client, secret


def update_client(client_id: str, changes: dict[str, Any]) -> Client:
    """Change the named metadata; the whole registration is checked again.

    Raises InvalidRegistrationError, also when there is no such client.
    """
    client = _existing(client_id)
    values = {name: getattr(client, name) for name in NewClient.__dataclass_fields__}
    check({**values, **changes})
    if ("none" in {client.token_endpoint_auth_method, changes.get(_METHOD)}) and (
        changes.get(_METHOD, client.token_endpoint_auth_method) != client.token_endpoint_auth_method
    ):
        raise InvalidRegistrationError(_METHOD, "cannot change between public and confidential")
    for name, value in changes.items():
        setattr(client, name, _column(value))
    registry.changed()
    return client


def rotate_secret(client_id: str, overlap: timedelta) -> str:
    """A second secret; the former ones end after `overlap`. Raises InvalidRegistrationError."""
    client = _existing(client_id)
    if client.token_endpoint_auth_method == "none":
        raise InvalidRegistrationError(_METHOD, "is none: a public client has no secret")
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
    client = _existing(client_id)
    affected(delete(Client).where(Client.id == client.id))
    registry.changed()


def get(client_id: str) -> Client | None:
    """The registration as stored."""
    return db.session.scalar(select(Client).where(Client.client_id == client_id))


def listing() -> list[Client]:
    """Every registration, by name."""
    return list(db.session.scalars(select(Client).order_by(Client.client_name)))


_METHOD = "token_endpoint_auth_method"


def _existing(client_id: str) -> Client:
    client = get(client_id)
    if client is None:
        raise InvalidRegistrationError("client_id", "is not registered")
    return client


def _add_secret(client: Client) -> str:
    secret = tokens.new_token()
    db.session.add(ClientSecret(client_id=client.id, digest=tokens.digest(secret)))
    db.session.flush()
    return secret


def _column(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
