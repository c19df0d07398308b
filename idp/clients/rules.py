"""What a registration must be (RFC 7591 2, RFC 9700 2.1 and 4.1)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from idp.keys.signing import ALGORITHMS

SCOPES = ("openid", "profile", "email", "phone", "address", "offline_access")
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")
GRANT_TYPES = ("authorization_code", "refresh_token")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")
_VISIBLE = re.compile(r"[\x21-\x7e]+")


class InvalidRegistrationError(Exception):
    """A registration that cannot be; `field` in the words of RFC 7591, `message` says what to do."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field = field


def check(values: Mapping[str, Any]) -> None:
    """Check a whole registration. Raises InvalidRegistrationError for the first thing wrong."""
    _check_name(values)
    if not values["redirect_uris"]:
        raise InvalidRegistrationError("redirect_uris", "needs at least one address")
    for field in ("redirect_uris", "post_logout_redirect_uris"):
        if len(set(values[field])) < len(values[field]):
            raise InvalidRegistrationError(field, "names an address twice")
        for uri in values[field]:
            check_uri(field, uri)
    for field in ("client_uri", "initiate_login_uri"):
        if values[field]:
            check_uri(field, values[field])
    _check_choices("grant_types", values["grant_types"], GRANT_TYPES)
    _check_choices("scope", values["scope"].split(), SCOPES)
    method, alg = "token_endpoint_auth_method", "id_token_signed_response_alg"
    _check_choices(method, [values[method]], AUTH_METHODS)
    _check_choices(alg, [values[alg]], ALGORITHMS)
    _check_together(values)


def check_uri(field: str, uri: str) -> None:
    """An exact https address, or http on this machine; no fragment, user, wildcard or odd character."""
    try:
        parts = urlsplit(uri)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise InvalidRegistrationError(
            field, f"has an address that cannot be read: {uri!r}"
        ) from None
    if not _VISIBLE.fullmatch(uri) or "*" in uri or "\\" in uri or len(uri) > 2000:
        raise InvalidRegistrationError(field, f"must be exact, in plain ASCII: {uri!r}")
    if not _HOST.fullmatch(host or ""):
        raise InvalidRegistrationError(field, f"must name a host: {uri!r}")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise InvalidRegistrationError(field, f"must be https (http on localhost only): {uri!r}")
    if parts.fragment or "#" in uri or parts.username is not None:
        raise InvalidRegistrationError(field, f"must have no fragment and no user: {uri!r}")


def _check_name(values: Mapping[str, Any]) -> None:
    name = values["client_name"]
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise InvalidRegistrationError("client_name", "must be 1 to 100 printable characters")
    if not re.fullmatch(r"[A-Za-z0-9._~-]{1,64}", values["client_id"]):
        raise InvalidRegistrationError("client_id", "must be 1 to 64 of A–Z a–z 0–9 . _ ~ -")


def _check_choices(field: str, chosen: Iterable[str], known: Iterable[str]) -> None:
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        allowed = ", ".join(sorted(known))
        raise InvalidRegistrationError(
            field, f"cannot be {', '.join(unknown)}; choose of {allowed}"
        )


def _check_together(values: Mapping[str, Any]) -> None:
    scopes, grants = values["scope"].split(), values["grant_types"]
    if "openid" not in scopes:
        raise InvalidRegistrationError("scope", "must contain openid")
    if "authorization_code" not in grants:
        raise InvalidRegistrationError("grant_types", "must contain authorization_code")
    if "offline_access" in scopes and "refresh_token" not in grants:
        raise InvalidRegistrationError("scope", "offline_access needs the refresh_token grant type")
    if values["token_endpoint_auth_method"] == "none" and not values["require_pkce"]:
        raise InvalidRegistrationError("require_pkce", "cannot be off for a public client")
    age = values["default_max_age"]
    if age is not None and age < 0:
        raise InvalidRegistrationError("default_max_age", "must be 0 seconds or more")
