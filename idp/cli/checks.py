"""What can be wrong with a deployment, each looked at by one function."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from idp import clock, schema
from idp.cli.common import bare_app, inside, whole_app
from idp.clients import manage
from idp.delivery.models import OutboxMessage, OutboxStatus
from idp.errors import ConfigurationError
from idp.extensions import db
from idp.keys import kek, signing

_OVERDUE = timedelta(minutes=2)
"""A message waits no longer than the longest pause between two tries (60 s) where a worker runs."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Literal["ok", "warning", "error"]
    what: str
    message: str


Check = Callable[[Settings], Iterator[Finding]]
NeighbourCheck = Callable[[Flask], Iterator[Finding]]


def run(settings: Settings, neighbours: tuple[NeighbourCheck, ...]) -> list[Finding]:
    """Look at everything; what has no meaning without a database is left out where there is none."""
    findings = _looked_at(_FILES, settings)
    try:
        with inside(bare_app(settings)) as app:
            findings += (stored := list(_database()))
            if all(finding.level != "error" for finding in stored):
                findings += _looked_at(_STORED, settings)
            findings += [finding for look in neighbours for finding in look(app)]
        whole_app(settings)
    except ConfigurationError as error:
        if str(error) not in {finding.message for finding in findings}:
            findings.append(Finding("error", "configuration", str(error)))
    return list(dict.fromkeys(findings))


def _looked_at(looks: tuple[Check, ...], settings: Settings) -> list[Finding]:
    return [finding for look in looks for finding in look(settings)]


def _misspelt(_settings: Settings) -> Iterator[Finding]:
    known = {f"IDP_{name.upper()}" for name in Settings.model_fields} | {"IDP_ENV_FILE"}
    for name in sorted(name for name in os.environ if name.upper().startswith("IDP_")):
        if name.upper() not in known:
            yield Finding("warning", "options", f"{name} is no option: is it misspelt?")


def _issuer(settings: Settings) -> Iterator[Finding]:
    if not settings.secure:
        yield Finding("warning", "issuer", f"{settings.issuer} is plain http: fit for a trial only")
        return
    yield Finding("ok", "issuer", settings.issuer)
    if not settings.trusted_proxies:
        message = "IDP_TRUSTED_PROXIES is 0: all users seem to come from the proxy's one address"
        yield Finding("warning", "proxy", message)


def _key_file(settings: Settings) -> Iterator[Finding]:
    try:
        kek.load(settings.kek_file)
    except ConfigurationError as error:
        yield Finding("error", "key-encryption key", str(error))
        return
    if settings.kek_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        message = f"others may read {settings.kek_file}: chmod 600 {settings.kek_file}"
        yield Finding("error", "key-encryption key", message)
    else:
        yield Finding("ok", "key-encryption key", str(settings.kek_file))


def _engine(settings: Settings) -> Iterator[Finding]:
    if settings.database_url.startswith("sqlite"):
        yield Finding("warning", "engine", "SQLite: one machine only; PostgreSQL for more")
    else:
        yield Finding("ok", "engine", settings.database_url.partition(":")[0])


def _database() -> Iterator[Finding]:
    try:
        db.session.execute(text("SELECT 1"))
        current = schema.is_current()
    except SQLAlchemyError as error:
        why = (str(getattr(error, "orig", error)).strip().splitlines() or [""])[0]
        yield Finding("error", "database", f"cannot be reached: {why}")
        return
    if current:
        yield Finding("ok", "database", "reachable, schema up to date")
    else:
        yield Finding("error", "database", "the schema is behind: run `idp db upgrade`")


def _signing_keys(_settings: Settings) -> Iterator[Finding]:
    for alg in signing.ALGORITHMS:
        try:
            yield Finding("ok", "signing keys", f"{alg}: {signing.active(alg).kid}")
        except ConfigurationError as error:
            yield Finding("error", "signing keys", str(error))
    for alg in signing.ending():
        message = f"the {alg} key ends soon and has no successor: does a worker run?"
        yield Finding("warning", "signing keys", message)


def _clients(_settings: Settings) -> Iterator[Finding]:
    count = len(manage.listing())
    if count:
        yield Finding("ok", "clients", f"{count} registered")
    else:
        yield Finding("warning", "clients", "none is registered: see `idp clients create`")


def _outbox(_settings: Settings) -> Iterator[Finding]:
    waiting = select(func.count()).where(
        OutboxMessage.status == OutboxStatus.WAITING,
        OutboxMessage.due_at < clock.now() - _OVERDUE,
    )
    count = db.session.scalar(waiting)
    if count:
        message = f"{count} messages are overdue: does a worker run (`idp worker`)?"
        yield Finding("warning", "outbox", message)
    else:
        yield Finding("ok", "outbox", "no message is overdue")


_FILES: tuple[Check, ...] = (_misspelt, _issuer, _key_file, _engine)
_STORED: tuple[Check, ...] = (_signing_keys, _clients, _outbox)
