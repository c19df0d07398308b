"""What the value of an option may be: types that `config.py` declares its options with."""

import re
import tomllib
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import SplitResult, urlsplit

from babel.dates import get_timezone
from email_validator import EmailNotValidError, validate_email
from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, Field

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")


def _issuer(value: str) -> str:
    """As browsers write it in `Host`, which it is compared with: lower case, no default port."""
    parts = _url(value, "write it like https://login.example.org")
    if parts.path or parts.query or parts.fragment:
        raise ValueError("leave out the trailing slash, path, query and fragment")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("use https; plain http is for localhost only")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _gateway(value: str) -> str:
    if value:
        _url(value, "write it like https://sms.example.org/send, or leave it empty")
    return value


def _list(value: str) -> str:
    """Passwords' digests go there, if only their beginnings: nobody on the way may read them."""
    advice = "write it like https://api.example.org/range, or leave it empty"
    if value and _url(value, advice).scheme == "http" and urlsplit(value).hostname not in _LOOPBACK:
        raise ValueError("use https; plain http is for localhost only")
    return value


def _document(value: str) -> str:
    """`{locale}` stands for the language of the page."""
    if value:
        _list(value.replace("{locale}", "fr"))
    return value


def _url(value: str, advice: str) -> SplitResult:
    """An http(s) URL with a host in ASCII and no user. Raises ValueError."""
    try:
        parts = urlsplit(value)
        known = parts.scheme in _DEFAULT_PORTS and parts.port != 0
    except ValueError:
        raise ValueError(advice) from None
    if not known or not value.isprintable() or not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError(advice)
    if parts.username is not None:
        raise ValueError("leave out user name and password")
    return parts


def _sender(value: str) -> str:
    """One address. Names of private networks (localhost, mail.local) will do, so they get a suffix here."""
    try:
        validate_email(f"{value}.example", check_deliverability=False)
    except EmailNotValidError:
        raise ValueError("write one address, like no-reply@example.org") from None
    return value


def _country(value: str) -> str:
    country = value.upper()
    if country not in SUPPORTED_REGIONS:
        raise ValueError(f"{value} is no country of ISO 3166, like CH or FR")
    return country


Locale = Literal["fr", "en"]
"""A language of pages and messages; each has its catalogue and its message templates."""

LOCALES: tuple[Locale, ...] = get_args(Locale)

Duration = Annotated[timedelta, Field(gt=timedelta(0))]
"""More than nothing: a code or a session without a life would lock everybody out."""

Issuer = Annotated[str, AfterValidator(_issuer)]
"""An https base URL, or http on this machine; the host in lower case, without a default port."""

GatewayUrl = Annotated[str, AfterValidator(_gateway)]
"""An http(s) URL, or nothing."""

ListUrl = Annotated[str, AfterValidator(_list)]
"""An https URL, or http on this machine, or nothing."""

DocumentUrl = Annotated[str, AfterValidator(_document)]
"""The same, perhaps with `{locale}` in it."""

SenderAddress = Annotated[str, AfterValidator(_sender)]
"""One e-mail address without a name."""


def _timezone(value: str) -> str:
    try:
        get_timezone(value)
    except LookupError:
        raise ValueError("name it as the IANA does, such as Europe/Zurich") from None
    return value


Timezone = Annotated[str, AfterValidator(_timezone)]
"""A time zone by its IANA name."""

Weakness = Literal["no-pkce", "unsigned-requests"]
"""What RFC 9700 advises against."""

Country = Annotated[str, AfterValidator(_country)]
"""ISO 3166, two capitals, of a country whose numbers phonenumbers knows."""


@lru_cache
def has_sms(path: Path) -> bool:
    """Whether a routes file has an SMS route; what is wrong with it is said elsewhere, at the start."""
    try:
        tables = tomllib.loads(path.read_text()).get("sms", [])
        return any(table.get("enabled", True) for table in tables)
    except (OSError, ValueError, TypeError, AttributeError):
        return False
