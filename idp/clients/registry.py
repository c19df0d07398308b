"""Looking registrations up: cached per process, at most two seconds behind the database."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from idp import clock
from idp.clients.client import Client
from idp.extensions import db, settings
from idp.security import tokens, versions
from idp.security.versions import VersionedCache

_NAME = "clients"


@dataclass(frozen=True)
class RegisteredClient:
    """A registration as protocol code reads it. `id` is the row id, `client_id` the public name."""

    id: int
    client_id: str
    client_name: str
    client_uri: str
    initiate_login_uri: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    grant_types: frozenset[str]
    scope: frozenset[str]
    token_endpoint_auth_method: str
    id_token_signed_response_alg: str
    require_pkce: bool
    default_max_age: int | None
    secret_digests: tuple[tuple[str, datetime | None], ...]

    def secret_matches(self, secret: str) -> bool:
        """True when the text is one of the secrets in force; compared in constant time."""
        now, typed = clock.now(), tokens.digest(secret)
        return any(
            tokens.same(digest, typed)
            for digest, until in self.secret_digests
            if until is None or until > now
        )


def find(client_id: str) -> RegisteredClient | None:
    """The client of this public name."""
    return _cache.get().get(client_id)


def by_row_id(row_id: int) -> RegisteredClient | None:
    """The client of this row."""
    return next((client for client in _cache.get().values() if client.id == row_id), None)


def own() -> RegisteredClient:
    """Ourselves, for people who come to our own pages: no registration, so nothing can be issued to it.

    Its public name cannot be registered, and no row has its `id`.
    """
    return RegisteredClient(
        id=0,
        client_id=":account",
        client_name=settings.mail_from_name,
        client_uri="",
        initiate_login_uri="",
        redirect_uris=(),
        post_logout_redirect_uris=(),
        grant_types=frozenset(),
        scope=frozenset(),
        token_endpoint_auth_method="",
        id_token_signed_response_alg="",
        require_pkce=True,
        default_max_age=None,
        secret_digests=(),
    )


def changed() -> None:
    """Tell every process that a registration changed, in the transaction that changes it."""
    versions.bump(_NAME)
    _cache.forget()


def _load() -> dict[str, RegisteredClient]:
    rows = db.session.scalars(select(Client).options(selectinload(Client.secrets)))
    return {row.client_id: _read(row) for row in rows}


def _read(row: Client) -> RegisteredClient:
    return RegisteredClient(
        id=row.id,
        client_id=row.client_id,
        client_name=row.client_name,
        client_uri=row.client_uri,
        initiate_login_uri=row.initiate_login_uri,
        redirect_uris=tuple(row.redirect_uris),
        post_logout_redirect_uris=tuple(row.post_logout_redirect_uris),
        grant_types=frozenset(row.grant_types),
        scope=frozenset(row.scope.split()),
        token_endpoint_auth_method=row.token_endpoint_auth_method,
        id_token_signed_response_alg=row.id_token_signed_response_alg,
        require_pkce=row.require_pkce,
        default_max_age=row.default_max_age,
        secret_digests=tuple((secret.digest, secret.expires_at) for secret in row.secrets),
    )


_cache: VersionedCache[dict[str, RegisteredClient]] = VersionedCache(_NAME, _load)
