"""Looking registrations up: cached per process, at most two seconds behind the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from idp import clock
from idp.clients.client import Client
from idp.clients.registration import CLIENT_ID, Registration
from idp.extensions import db, settings
from idp.security import tokens, versions
from idp.security.versions import VersionedCache

_NAME = "clients"


@dataclass(frozen=True, kw_only=True)
class RegisteredClient(Registration):
    """A registration as protocol code reads it. `id` is the row id, `client_id` the public name."""

    id: int
    client_id: str
    secret_digests: tuple[tuple[str, datetime | None], ...] = ()
    by_itself: bool = False
    """It registered over HTTP: it says of itself what it says."""
    kept_until: datetime | None = None

    @cached_property
    def scopes(self) -> frozenset[str]:
        """What it may ask for."""
        return frozenset(self.scope.split())

    def within(self, scope: str) -> str:
        """What of a scope it may still ask for, each once, in the same order."""
        return " ".join(one for one in dict.fromkeys(scope.split()) if one in self.scopes)

    @cached_property
    def origins(self) -> frozenset[str]:
        """Those of its redirect URIs, where scripts of its own may run."""
        parts = map(urlsplit, self.redirect_uris)
        return frozenset(f"{one.scheme}://{one.netloc}" for one in parts)

    @cached_property
    def resource_scopes(self) -> frozenset[str]:
        """What others may ask for at it."""
        return frozenset(self.resource_scope.split())

    def secret_matches(self, secret: str) -> bool:
        """True when the text is one of the secrets in force; compared in constant time."""
        now, typed = clock.now(), tokens.digest(secret)
        return any(
            tokens.same(digest, typed)
            for digest, until in self.secret_digests
            if until is None or until > now
        )


def find(client_id: str) -> RegisteredClient | None:
    """The client of this public name, also one that registered at another process a moment ago."""
    found = _cache.get().by_name.get(client_id)
    if found or settings.registration == "off" or not CLIENT_ID.fullmatch(client_id):
        return found
    if db.session.scalar(select(Client.id).where(Client.client_id == client_id)) is None:
        return None
    _cache.forget()
    return _cache.get().by_name.get(client_id)


def by_row_id(row_id: int) -> RegisteredClient | None:
    """The client of this row."""
    return _cache.get().by_row.get(row_id)


def all_clients() -> Iterable[RegisteredClient]:
    """Every registration."""
    return _cache.get().by_row.values()


def origins() -> frozenset[str]:
    """Where scripts of public clients run."""
    return _cache.get().origins


def resource_server(uri: str) -> RegisteredClient | None:
    """The client that is the resource server of this address."""
    return _cache.get().by_resource.get(uri)


def server_of_scope(scope: str) -> RegisteredClient | None:
    """The resource server that has a scope: no two have the same."""
    return _cache.get().by_scope.get(scope)


def told_of_logouts() -> list[int]:
    """Row ids of the clients that have an address for it."""
    return [client.id for client in all_clients() if client.backchannel_logout_uri]


def own() -> RegisteredClient:
    """Ourselves, for people who come to our own pages: no registration, so nothing can be issued to it.

    Its public name cannot be registered, and no row has its `id`.
    """
    return RegisteredClient(
        id=0,
        client_id=":account",
        client_name=settings.mail_from_name,
        redirect_uris=(),
        grant_types=(),
        scope="",
    )


def changed() -> None:
    """Tell every process that a registration changed, in the transaction that changes it."""
    versions.bump(_NAME)
    _cache.forget()


@dataclass(frozen=True)
class _Known:
    """Every registration, by what requests name it by."""

    by_name: dict[str, RegisteredClient]
    by_row: dict[int, RegisteredClient]
    by_resource: dict[str, RegisteredClient]
    by_scope: dict[str, RegisteredClient]
    origins: frozenset[str]


def _load() -> _Known:
    rows = db.session.scalars(select(Client).options(selectinload(Client.secrets)))
    clients = [_read(row) for row in rows]
    return _Known(
        by_name={client.client_id: client for client in clients},
        by_row={client.id: client for client in clients},
        by_resource={client.resource_uri: client for client in clients if client.resource_uri},
        by_scope={scope: client for client in clients for scope in client.resource_scopes},
        origins=frozenset().union(*(client.origins for client in clients if client.public)),
    )


def _read(row: Client) -> RegisteredClient:
    return RegisteredClient(
        **vars(row.registration),
        id=row.id,
        client_id=row.client_id,
        secret_digests=tuple((secret.digest, secret.expires_at) for secret in row.secrets),
        by_itself=row.management_digest is not None,
        kept_until=row.kept_until,
    )


_cache: VersionedCache[_Known] = VersionedCache(_NAME, _load)
