"""The deployment's routes: from the routes file, or one of each from the simple options."""

import importlib
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask_mail import Mail as FlaskMail

from idp.delivery import options
from idp.delivery.compose import Letterhead
from idp.delivery.http_gateway import HttpGateway
from idp.delivery.messages import Mail, Sms
from idp.delivery.routes import Plan
from idp.delivery.senders import SmsSender
from idp.delivery.sms_http import HttpSmsSender
from idp.delivery.smtp import SmtpSender, SmtpServer
from idp.delivery.tables import TomlTable
from idp.errors import ConfigurationError

if TYPE_CHECKING:
    from config import Settings

Note = Callable[[str, str, str], bool]
"""Takes a route, its gateway's name for a message, and what became of it; False: no such message yet."""

_TIMEOUT = 10.0
_LOCAL_ONLY = "IDP_SMTP_SECURITY=none is for a mail server on this machine only"


@dataclass(frozen=True)
class Plans:
    """What the configuration asks for, in its order."""

    mail: tuple[Plan[Mail], ...]
    sms: tuple[Plan[Sms], ...]


def plans(settings: "Settings", mail: FlaskMail, note: Note) -> Plans:
    """The routes of these settings. Raises ConfigurationError for the first thing wrong."""
    planner = _Planner(settings, mail, note)
    return (
        planner.from_file(settings.delivery_routes)
        if settings.delivery_routes
        else planner.simple()
    )


class _Planner:
    """Makes plans; holds what all of them share."""

    def __init__(self, settings: "Settings", mail: FlaskMail, note: Note) -> None:
        self._settings, self._mail, self._note = settings, mail, note
        self._hello = urlsplit(settings.issuer).hostname or "localhost"
        address = settings.mail_from
        self._letterhead = Letterhead(
            address, settings.mail_from_name, settings.mail_envelope_from or address
        )

    def simple(self) -> Plans:
        """One route each, from `IDP_SMTP_*` and `IDP_SMS_*`."""
        given = self._settings
        if given.smtp_security == "none" and given.smtp_host not in options.LOOPBACK:
            raise ConfigurationError(_LOCAL_ONLY)
        server = SmtpServer(
            *(given.smtp_host, given.smtp_port, given.smtp_security, self._hello),
            username=given.smtp_username,
            password=given.smtp_password.get_secret_value(),
            timeout=given.smtp_timeout.total_seconds(),
            idle=given.smtp_idle.total_seconds(),
        )
        sms = (self._simple_sms(),) if given.sms_url else ()
        return Plans((self._mail_plan("smtp", server),), sms)

    def from_file(self, path: Path) -> Plans:
        """The enabled routes of a file."""
        tables = _read(path)
        mail = tuple(self._each(path, tables.get("mail", []), self._mail_table))
        sms = tuple(self._each(path, tables.get("sms", []), self._sms_table))
        names = [plan.name for plan in (*mail, *sms)]
        if twice := sorted(name for name in set(names) if names.count(name) > 1):
            raise ConfigurationError(f"{path}: two routes have the same name, {twice[0]}")
        if not mail:
            raise ConfigurationError(f"{path}: no [[mail]] route is enabled")
        return Plans(mail, sms)

    def _each(
        self, path: Path, tables: list[Any], read: Callable[[str, dict[str, Any]], Plan[Any]]
    ) -> Iterator[Plan[Any]]:
        for table in tables:
            values = dict(table)
            name = values.pop("name", None)
            if not isinstance(name, str) or not re.fullmatch(r"[\w.-]{1,32}", name):
                message = "every route needs a name of 1 to 32 letters, digits, dots, - and _"
                raise ConfigurationError(f"{path}: {message}" + (f", not {name!r}" if name else ""))
            try:
                switch = TomlTable({"enabled": values.pop("enabled", True)})
                if switch.flag("enabled", default=True):
                    yield read(name, values)
            except (ValueError, TypeError) as error:
                raise ConfigurationError(f"{path}: route {name}: {error}") from None

    def _mail_table(self, name: str, values: dict[str, Any]) -> Plan[Mail]:
        table = TomlTable(values)
        table.choice("type", ("smtp",), "smtp")
        timeout = table.number("timeout", _TIMEOUT, most=options.LONGEST_TIMEOUT)
        server = options.smtp_server(table, self._hello, timeout)
        table.end()
        return self._mail_plan(name, server)

    def _mail_plan(self, name: str, server: SmtpServer) -> Plan[Mail]:
        return Plan(name, server.timeout, lambda: SmtpSender(self._mail, server, self._letterhead))

    def _sms_table(self, name: str, values: dict[str, Any]) -> Plan[Sms]:
        kind = values.pop("type", None)
        first: dict[str, Any] = {
            key: values.pop(key) for key in ("timeout", "prefixes") if key in values
        }
        common = TomlTable(first)
        timeout = common.number("timeout", _TIMEOUT, most=options.LONGEST_TIMEOUT)
        prefixes = common.texts("prefixes", ("",))
        if not prefixes or not all(re.fullmatch(r"|\+[1-9][0-9]{0,6}", one) for one in prefixes):
            raise ValueError('write prefixes like ["+41", "+423"], and "" for every number')
        return Plan(name, timeout, self._sms_sender(name, kind, values, timeout), prefixes)

    def _sms_sender(
        self, name: str, kind: object, values: dict[str, Any], timeout: float
    ) -> Callable[[], SmsSender]:
        if kind == "http":
            gateway = options.http_gateway(values)
            options.demand_message(gateway)
            return lambda: HttpSmsSender(gateway, timeout)
        planned: Callable[[], SmsSender]
        if kind == "smpp":
            planned = _extra("smpp").plan(TomlTable(values), timeout, partial(self._note, name))
        elif kind == "apprise":
            planned = _extra("apprise").plan(TomlTable(values))
        else:
            raise ValueError("type must be http, smpp or apprise")
        return planned

    def _simple_sms(self) -> Plan[Sms]:
        given = self._settings
        token = given.sms_token.get_secret_value()
        gateway = HttpGateway(
            given.sms_url,
            headers={"Authorization": "Bearer {token}"} if token else {},
            kind="json",
            body={"to": "{to}", "text": "{text}"},
            values={"token": token},
        )
        timeout = given.sms_timeout.total_seconds()
        return Plan("sms", timeout, lambda: HttpSmsSender(gateway, timeout))


def _extra(name: str) -> Any:
    """The module of a sender whose library is an extra. Raises ValueError where that is not installed."""
    try:
        return importlib.import_module(f"idp.delivery.sms_{name}")
    except ModuleNotFoundError:
        raise ValueError(f"install the extra for it: pip install 'seuil[{name}]'") from None


def _read(path: Path) -> dict[str, list[Any]]:
    try:
        tables = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from None
    unknown = sorted(set(tables) - {"mail", "sms"})
    if unknown:
        raise ConfigurationError(f"{path}: unknown table {unknown[0]}; write [[mail]] and [[sms]]")
    for name, routes in tables.items():
        if not isinstance(routes, list) or not all(isinstance(one, dict) for one in routes):
            raise ConfigurationError(f"{path}: write each route as a [[{name}]] table")
    return tables
