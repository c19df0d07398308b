"""What can be wrong with a deployment, each looked at by one function."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from flask import Flask

from config import Settings
from idp import housekeeping
from idp.audit import seals
from idp.challenges import sms
from idp.cli.common import bare_app, database_name, demand_database, inside, whole_app
from idp.clients import manage, rules
from idp.clients.rules import InvalidRegistrationError
from idp.delivery import upkeep
from idp.errors import ConfigurationError
from idp.extensions import db
from idp.keys import kek, signing
from idp.migration import campaign


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
            findings += [*_engine(), *(stored := list(_database()))]
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
        ring = kek.load(settings.kek_file)
    except ConfigurationError as error:
        yield Finding("error", "key-encryption key", str(error))
        return
    if settings.kek_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        message = f"others may read {settings.kek_file}: chmod 600 {settings.kek_file}"
        yield Finding("error", "key-encryption key", message)
    elif len(ring.keys) > 1:
        message = f"{settings.kek_file} has two keys: go on with `idp keys rewrap`"
        yield Finding("warning", "key-encryption key", message)
    else:
        yield Finding("ok", "key-encryption key", str(settings.kek_file))


def _engine() -> Iterator[Finding]:
    if db.engine.dialect.name == "sqlite":
        message = f"SQLite in {database_name()}: one machine only; PostgreSQL for more"
        yield Finding("warning", "engine", message)
    else:
        yield Finding("ok", "engine", database_name())


def _database() -> Iterator[Finding]:
    try:
        demand_database()
    except ConfigurationError as error:
        yield Finding("error", "database", str(error))
    else:
        yield Finding("ok", "database", "reachable, schema up to date")


def _signing_keys(_settings: Settings) -> Iterator[Finding]:
    for alg in dict.fromkeys([*signing.USUAL, *signing.in_use()]):
        try:
            yield Finding("ok", "signing keys", f"{alg}: {signing.active(alg).kid}")
        except ConfigurationError as error:
            yield Finding("error", "signing keys", str(error))
    for alg in signing.ending():
        message = f"the {alg} key ends soon and has no successor: does a worker run?"
        yield Finding("warning", "signing keys", message)


def _clients(_settings: Settings) -> Iterator[Finding]:
    known = manage.listing()
    for client in known:
        try:
            rules.check(client.registration)
        except InvalidRegistrationError as error:
            message = f"{client.client_id}: {error}: it does not work as registered"
            yield Finding("error", "clients", message)
    if known:
        yield Finding("ok", "clients", f"{len(known)} registered")
    else:
        yield Finding("warning", "clients", "none is registered: see `idp clients create`")


def _outbox(_settings: Settings) -> Iterator[Finding]:
    count = upkeep.overdue()
    if count:
        message = f"{count} messages are overdue: does a worker run (`idp worker`)?"
        yield Finding("warning", "outbox", message)
    else:
        yield Finding("ok", "outbox", "no message is overdue")


def _audit(_settings: Settings) -> Iterator[Finding]:
    late = seals.unsealed()
    if not _chain_is_ours():
        message = (
            "the chain was altered, or sealed with another key-encryption key: see `idp audit verify`; "
            "if that key was replaced, `idp audit restart`"
        )
        yield Finding("error", "audit", message)
    elif late:
        message = (
            f"{late.count} events are unsealed since {late.since:%Y-%m-%d %H:%M} UTC: does a worker "
            "run, and what does `idp audit verify` say?"
        )
        yield Finding("warning", "audit", message)
    else:
        yield Finding("ok", "audit", "every event is sealed, or just happened")


def _chain_is_ours() -> bool:
    """Where there is no key there is a finding about that already."""
    try:
        return seals.is_ours(housekeeping.audit_key())
    except ConfigurationError:
        return True


def _sms(_settings: Settings) -> Iterator[Finding]:
    for stop in sms.stopped():
        used = f"of {stop.sent} codes {stop.used} were used"
        message = f"none goes to {stop.prefix}: {used}; see `idp sms prefixes`, `idp sms allow`"
        yield Finding("warning", "sms", message)


def _pauses(_settings: Settings) -> Iterator[Finding]:
    for name, pause in campaign.pauses().items():
        since = f"since {pause.paused_at:%Y-%m-%d %H:%M} UTC ({pause.reason})"
        message = f"{name or 'every source'} is paused {since}: see `idp campaign resume`"
        yield Finding("warning", "campaign", message)


_FILES: tuple[Check, ...] = (_misspelt, _issuer, _key_file)
_STORED: tuple[Check, ...] = (_signing_keys, _clients, _outbox, _audit, _sms, _pauses)
