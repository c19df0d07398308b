"""An old user store behind an HTTP service of the portal's own, as docs/legacy-http.yaml describes it."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date
from typing import Literal, TypeVar
from urllib.parse import urlsplit

import requests
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from idp import clock
from idp.accounts.profile import Profile
from idp.legacy import rows
from idp.legacy.rows import Row
from idp.legacy.source import (
    Admit,
    Answer,
    Match,
    Migrated,
    Mismatch,
    NotTakenError,
    Person,
    Secret,
    SourceOptions,
    Unavailable,
    Unknown,
    Unsupported,
)
from idp.security.outgoing import Service, SilentError

_log = structlog.get_logger("seuil.legacy")

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_NOBODY = "\x7f"
"""An identifier that nobody has."""


T = TypeVar("T", bound=BaseModel)


class HttpOptions(SourceOptions):
    """`url` is what `/find` and `/verify` are added to, and `/migrated` with `on_migrated`. With `auth`
    "bearer" the secret is sent, with "hmac" it signs each request and its time."""

    type: Literal["http"] = "http"
    url: str
    secret: Secret
    auth: Literal["bearer", "hmac"] = "hmac"
    on_migrated: bool = False

    @field_validator("url")
    @classmethod
    def _safe(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise ValueError("write it like https://portal.example.org/seuil")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError("passwords would cross the network in clear: use https")
        return url.rstrip("/")


class _Told(BaseModel):
    """What the service says of a person."""

    model_config = ConfigDict(extra="ignore", strict=True)

    key: str = Field(min_length=1, max_length=255)
    identifier: str = ""
    email: str = ""
    phone: str = ""
    given_name: str = ""
    family_name: str = ""
    birthdate: date | None = Field(None, strict=False)
    street_address: str = ""
    postal_code: str = ""
    locality: str = ""
    country: str = ""
    locked: bool = False
    attributes: dict[str, str] = Field(default_factory=dict)

    def person(self) -> Person:
        """In our words."""
        others = {"key", "identifier", "email", "phone", "locked", "attributes"}
        told = self.model_dump(exclude=others)
        return Person(
            key=self.key,
            identifier=self.identifier,
            email=self.email,
            phone=self.phone,
            profile=Profile(**told),
            locked=self.locked,
            attributes=self.attributes,
        )


class _Found(BaseModel):
    """The answer of `/find`."""

    answer: Literal["found", "unknown"]
    person: _Told | None = None


class _Verified(BaseModel):
    """The answer of `/verify`."""

    answer: Literal["match", "mismatch", "locked", "must_change"]


class _Noted(BaseModel):
    """The answer of `/migrated`."""

    answer: Literal["noted"]


class HttpSource:
    """Asks the service who somebody is, and then whether the password is right. Follows no redirect."""

    def __init__(self, options: HttpOptions) -> None:
        self.options = options
        self._service = Service(at_once=options.at_once * 2, largest=65536)

    def authenticate(self, identifier: str, password: str, admit: Admit) -> Answer:
        """See `LegacySource.authenticate`."""
        found = self.find(identifier)
        if not isinstance(found, Person):
            return found
        answer = admit(found.key)
        if answer is not None:
            return answer
        try:
            words = {"identifier": identifier, "key": found.key, "password": password}
            verified = self._ask("verify", _Verified, **words)
        except SilentError:
            return Unavailable()
        if verified.answer == "mismatch":
            return Mismatch()
        person = replace(
            found,
            locked=found.locked or verified.answer == "locked",
            must_change=verified.answer == "must_change",
        )
        return Match(self.options.name, person)

    def find(self, identifier: str) -> Person | Unknown | Unsupported | Unavailable:
        """See `LegacySource.find`."""
        if not rows.can_be_asked(identifier):
            return Unknown()
        try:
            found = self._ask("find", _Found, identifier=identifier)
        except SilentError:
            return Unavailable()
        if found.answer == "unknown":
            return Unknown()
        if found.person is None:
            return rows.unsupported(self.options.name, "", "no person in the answer")
        row = rows.one_of(self.options.name, [Row(found.person.person())])
        return row.person if isinstance(row, Row) else row

    def problem(self) -> str | None:
        """See `LegacySource.problem`: asks for nobody."""
        try:
            found = self._ask("find", _Found, identifier=_NOBODY)
        except SilentError as error:
            return f"does not answer as it should: {error}"
        return None if found.answer == "unknown" else "finds somebody whom nobody is called"

    @property
    def wants_to_know(self) -> bool:
        """See `Informed.wants_to_know`."""
        return self.options.on_migrated

    def tell(self, migrated: Migrated) -> None:
        """See `Informed.tell`."""
        at = migrated.at.astimezone(UTC).isoformat(timespec="seconds")
        words = {name: getattr(migrated, name) for name in ("key", "identifier", "sub")}
        try:
            self._ask("migrated", _Noted, **words, migrated_at=at)
        except SilentError as error:
            raise NotTakenError(str(error)) from None

    def close(self) -> None:
        """See `LegacySource.close`: no connection is kept."""

    def _ask(self, what: str, kind: type[T], **words: str) -> T:
        """Raises SilentError for no answer in time, and for one that the contract does not know."""
        url, body = f"{self.options.url}/{what}", json.dumps(words).encode()
        try:
            answer = self._service.ask(
                "POST", url, self.options.timeout, data=body, headers=_JSON, auth=self._signed
            )
            if answer.status == 200:
                return kind.model_validate_json(answer.body)
            told = f"{what}: HTTP {answer.status}"
        except ValidationError:
            told = f"{what}: not what the contract says"
        except SilentError as error:
            told = f"{what}: {error}"
        _log.warning("source_unavailable", source=self.options.name, error=told)
        raise SilentError(told)

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """A callable as `auth` also keeps anybody's .netrc out of it."""
        secret = self.options.secret.get_secret_value()
        if self.options.auth == "bearer":
            request.headers["Authorization"] = f"Bearer {secret}"
        else:
            body = request.body if isinstance(request.body, bytes) else b""
            request.headers.update(signature(secret, request.path_url, body))
        return request


def signature(secret: str, path: str, body: bytes) -> Mapping[str, str]:
    """Headers that prove who asks, what and when: HMAC-SHA256 over time, path and body, a line each."""
    now = str(int(clock.now().timestamp()))
    signed = b"\n".join((now.encode(), path.encode(), body))
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {"Seuil-Timestamp": now, "Seuil-Signature": f"sha256={digest}"}
