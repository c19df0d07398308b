"""An old user store in an LDAP directory: search for the person, then bind as the entry that was found."""

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import structlog
from pydantic import Field, field_validator, model_validator

from idp.legacy import rows
from idp.legacy.directory import Directory, escape_filter_chars
from idp.legacy.rows import Row
from idp.legacy.source import (
    Admit,
    Answer,
    Match,
    Mismatch,
    Person,
    Secret,
    SourceOptions,
    Unavailable,
    Unknown,
    Unsupported,
)

_log = structlog.get_logger("seuil.legacy")

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_PASSWORD_POLICY = "1.3.6.1.4.1.42.2.27.8.5.1"
"""The control by which directories tell why (draft-behera-ldap-password-policy)."""
_EXPIRED, _CHANGE_AFTER_RESET = 0, 2
_NO_SUCH_OBJECT, _INVALID_CREDENTIALS, _SIZE_LIMIT = 32, 49, 4

_SUBCODE = re.compile(r"AcceptSecurityContext error, data ([0-9a-f]+)", re.IGNORECASE)
_LOCKED = {"530", "531", "533", "701"}
_MUST_CHANGE = {"532", "773"}
"""What Active Directory adds to a refused bind. These come after the right password only. 775, locked out by
wrong tries, comes whatever the password is, and is told as a wrong one: it would tell that there is such a
person."""


class LdapOptions(SourceOptions):
    """`url` is `ldaps://host[:port]`, or `ldap://` with StartTLS; without either on this machine only.

    `filter` finds an entry by `{identifier}` under `base`, in the name of `bind_dn` or of nobody. `columns`
    maps our words to attributes; `key` must be one that never changes, such as entryUUID or objectGUID.
    """

    type: Literal["ldap"] = "ldap"
    url: str
    start_tls: bool = True
    ca_file: Path | None = None
    bind_dn: str = ""
    bind_password: Secret | None = None
    base: str
    filter: str = "(uid={identifier})"
    columns: Mapping[str, str] = Field(default_factory=lambda: {"key": "entryUUID"})

    @field_validator("url")
    @classmethod
    def _a_directory(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname:
            raise ValueError("write it like ldaps://ldap.example.org")
        return url

    @field_validator("filter")
    @classmethod
    def _by_identifier(cls, value: str) -> str:
        if "{identifier}" not in value or not (value.startswith("(") and value.endswith(")")):
            raise ValueError("write it like (uid={identifier})")
        return value

    @model_validator(mode="after")
    def _sound(self) -> "LdapOptions":
        if self.bind_dn and not (self.bind_password and self.bind_password.get_secret_value()):
            raise ValueError("bind_dn needs a bind_password; an empty one would sign in nobody")
        if "key" not in self.columns:
            raise ValueError("columns must say which attribute is the key, such as entryUUID")
        parts = urlsplit(self.url)
        if parts.scheme == "ldap" and not self.start_tls and parts.hostname not in _LOOPBACK:
            raise ValueError("passwords would cross the network in clear: use ldaps or start_tls")
        return self


class LdapSource:
    """Asks one directory, over a connection of its own for each question. Follows no referral."""

    def __init__(self, options: LdapOptions) -> None:
        self.options = options
        self._directory = Directory(
            options.url,
            start_tls=options.start_tls,
            ca_file=options.ca_file,
            timeout=options.timeout,
        )

    def authenticate(self, identifier: str, password: str, admit: Admit) -> Answer:
        """See `LegacySource.authenticate`. An empty password is never sent: directories take it for nobody's
        sign-in, and say yes."""
        found = self._entry(identifier)
        if not isinstance(found, tuple):
            return found
        dn, row = found
        answer = admit(row.person.key)
        if answer is not None:
            return answer
        return self._bind(dn, row.person, password) if password else Mismatch()

    def find(self, identifier: str) -> Person | Unknown | Unsupported | Unavailable:
        """See `LegacySource.find`."""
        found = self._entry(identifier)
        return found[1].person if isinstance(found, tuple) else found

    def problem(self) -> str | None:
        """See `LegacySource.problem`: binds as the service, and looks for the base."""
        try:
            with self._service() as connection:
                connection.search(self.options.base, "(objectClass=*)", "BASE", time_limit=5)
                code, reason = connection.result["result"], connection.result["description"]
        except Exception as error:  # noqa: BLE001 - whatever the library meets, the operator reads it
            return f"does not answer: {_first_line(error)}"
        if code == _NO_SUCH_OBJECT:
            return f"has no entry {self.options.base} (base)"
        return f"cannot be searched: {reason}" if code else None

    def close(self) -> None:
        """See `LegacySource.close`: no connection is kept."""

    def _entry(self, identifier: str) -> tuple[str, Row] | Unknown | Unsupported | Unavailable:
        """The one entry of an identifier, with its name in the directory."""
        if not rows.can_be_asked(identifier):
            return Unknown()
        wanted = self.options.filter.replace("{identifier}", escape_filter_chars(identifier))
        try:
            with self._service() as connection:
                connection.search(
                    self.options.base,
                    wanted,
                    attributes=sorted(set(self.options.columns.values())),
                    size_limit=2,
                    time_limit=self._directory.seconds,
                )
                code, response = connection.result["result"], connection.response or []
        except Exception as error:  # noqa: BLE001 - nonsense from a directory is a silent directory
            return self._unavailable(type(error).__name__)
        if code not in {0, _SIZE_LIMIT, _NO_SUCH_OBJECT}:
            return self._unavailable(f"search: {code}")
        return self._one_of([item for item in response if item["type"] == "searchResEntry"])

    def _one_of(
        self, entries: list[dict[str, Any]]
    ) -> tuple[str, Row] | Unknown | Unsupported | Unavailable:
        try:
            read = [rows.read(_record(entry), self.options.columns) for entry in entries]
            row = rows.one_of(self.options.name, read)
        except (ValueError, KeyError) as error:
            return self._unavailable(type(error).__name__)
        return (entries[0]["dn"], row) if isinstance(row, Row) else row

    def _bind(self, dn: str, person: Person, password: str) -> Answer:
        controls = [(_PASSWORD_POLICY, False, None)]
        if not dn:
            return self._unavailable("an entry without a name")
        try:
            with self._directory.connected(dn, password) as connection:
                connection.bind(controls=controls)
                result = connection.result
        except Exception as error:  # noqa: BLE001 - as for the search
            return self._unavailable(type(error).__name__)
        return self._judge(result, person)

    def _judge(self, result: Mapping[str, Any], person: Person) -> Answer:
        code, policy = result["result"], _policy_error(result)
        told = _SUBCODE.search(str(result.get("message") or ""))
        reason = told[1].lower() if told else ""
        refused = code == _INVALID_CREDENTIALS
        if code == 0:
            return self._match(person, must_change=policy == _CHANGE_AFTER_RESET)
        if refused and (policy == _EXPIRED or reason in _MUST_CHANGE):
            return self._match(person, must_change=True)
        if refused and reason in _LOCKED:
            return self._match(person, locked=True)
        return Mismatch() if refused else self._unavailable(f"bind: {code}")

    def _match(self, person: Person, *, locked: bool = False, must_change: bool = False) -> Match:
        person = replace(
            person,
            locked=person.locked or locked,
            must_change=person.must_change or must_change,
        )
        return Match(self.options.name, person)

    @contextmanager
    def _service(self) -> Iterator[Any]:
        """A connection that may search."""
        dn, secret = self.options.bind_dn, self.options.bind_password
        with self._directory.connected(
            dn, secret.get_secret_value() if secret else ""
        ) as connection:
            if not connection.bind():
                raise ConnectionError(f"bind as {dn or 'nobody'} was refused")
            yield connection

    def _unavailable(self, why: str) -> Unavailable:
        _log.warning("source_unavailable", source=self.options.name, error=why)
        return Unavailable()


def _record(entry: Mapping[str, Any]) -> dict[str, object]:
    """First value of each attribute, as text."""
    return {
        name: _text(name, values[0] if isinstance(values, list) else values)
        for name, values in entry["raw_attributes"].items()
        if values
    }


def _text(name: str, value: bytes) -> object:
    """Octets that are no text are written in hexadecimal; Active Directory's GUIDs as it writes them."""
    if name.lower() == "objectguid" and len(value) == 16:
        return str(uuid.UUID(bytes_le=value))
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _policy_error(result: Mapping[str, Any]) -> int | None:
    """The `error [1]` of the password policy's response control, if there is one."""
    control = (result.get("controls") or {}).get(_PASSWORD_POLICY)
    value = control.get("value") if control else None
    found = re.search(rb"\x81\x01(.)", value, re.DOTALL) if isinstance(value, bytes) else None
    return found[1][0] if found else None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
