"""What a registration must be (RFC 7591 2, RFC 9700 2.1 and 4.1)."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from idp.clients import keys, registry
from idp.clients.registration import CLIENT_ID, LOOPBACK, SHOWN, Registration
from idp.extensions import settings
from idp.keys import signing
from idp.keys.encryption import ALGORITHMS, ENCODINGS

SCOPES = ("openid", "profile", "email", "phone", "address", "offline_access", "legacy")
PROVING_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")
"""By which a client proves who it is."""
AUTH_METHODS = (*PROVING_METHODS, "none")
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")
TOKEN_FORMATS = ("jwt", "opaque")
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")
SUBJECT_TYPES = ("public", "pairwise")
REQUEST_ALGORITHMS = ("", "none", *keys.ALGORITHMS)
"""What request objects may be signed with; empty: the client sends none."""
_URIS = (
    *("client_uri", "initiate_login_uri", "backchannel_logout_uri"),
    *("jwks_uri", "sector_identifier_uri", "resource_uri"),
    *("logo_uri", "policy_uri", "tos_uri"),
)
_METHOD = "token_endpoint_auth_method"
_ASSERTION_ALG = "token_endpoint_auth_signing_alg"
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")
_MOST_LOCALIZED = 50
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""RFC 6749 3.3."""
_ACR = re.compile(r"[A-Za-z0-9:._-]+")
_LONGEST_AGE = 999_999_999
_LONGEST_SCOPE = 1000
_LONGEST_LIFE = 12 * 3600
"""Seconds; a token is gone with its code, which is kept for a day longer than the usual ones live."""


class InvalidRegistrationError(Exception):
    """A registration that cannot be; `field` in the words of RFC 7591, `message` says what to do.

    `about` is what was given instead; it is shown to administrators, and repeated to nobody else.
    """

    def __init__(self, field: str, message: str, about: str | None = None) -> None:
        super().__init__(f"{field} {message}" + (f": {about!r}" if about is not None else ""))
        self.field, self.message = field, message


def check(new: Registration) -> None:
    """Check a whole registration. Raises InvalidRegistrationError for the first thing wrong."""
    _check_name("client_name", new.client_name)
    _check_localized(new.localized)
    for field in ("redirect_uris", "post_logout_redirect_uris"):
        uris = getattr(new, field)
        if len(set(uris)) < len(uris):
            raise InvalidRegistrationError(field, "names an address twice")
        for uri in uris:
            check_uri(field, uri)
    for field in _URIS:
        if uri := getattr(new, field):
            check_uri(field, uri)
    for field, chosen, known in (
        ("grant_types", new.grant_types, GRANT_TYPES),
        ("application_type", [new.application_type], ("web", "native")),
        ("subject_type", [new.subject_type], SUBJECT_TYPES),
        ("resource_token_format", [new.resource_token_format], TOKEN_FORMATS),
        (_METHOD, [new.token_endpoint_auth_method], AUTH_METHODS),
        *_choices_of_answers(new),
        (_ASSERTION_ALG, [new.token_endpoint_auth_signing_alg], ("", *keys.ALGORITHMS)),
        ("request_object_signing_alg", [new.request_object_signing_alg], REQUEST_ALGORITHMS),
    ):
        _check_choices(field, chosen, known)
    _check_scope(new)
    _check_grants(new)
    _check_together(new)
    _check_resource_server(new)
    _check_legacy(new)
    _check_keys(new)


def check_client_id(client_id: str) -> None:
    """Raises InvalidRegistrationError for what cannot be a client's public name."""
    if not CLIENT_ID.fullmatch(client_id):
        raise InvalidRegistrationError("client_id", "must be 1 to 64 of A–Z a–z 0–9 . _ ~ -")


def check_uri(field: str, uri: str) -> None:
    """An exact https address, or http on this machine; no fragment, user, wildcard or odd character."""
    try:
        parts = urlsplit(uri)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise InvalidRegistrationError(field, "has an address that cannot be read", uri) from None
    if not _VISIBLE.fullmatch(uri) or "*" in uri or "\\" in uri or len(uri) > 2000:
        raise InvalidRegistrationError(field, "must be exact, in plain ASCII", uri)
    if parts.scheme not in {"https", "http"}:
        raise InvalidRegistrationError(
            field,
            "must be https; an application on a device has one of its own, or http://127.0.0.1/",
            uri,
        )
    if not _HOST.fullmatch(host or ""):
        raise InvalidRegistrationError(field, "must name a host", uri)
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise InvalidRegistrationError(field, "must be https (http on localhost only)", uri)
    if parts.fragment or "#" in uri or parts.username is not None:
        raise InvalidRegistrationError(field, "must have no fragment and no user", uri)


def _choices_of_answers(new: Registration) -> Iterator[tuple[str, list[str], Iterable[str]]]:
    """Algorithms of what we sign and encrypt: the usual ones, and those that this deployment has keys for."""
    for field in ("id_token_signed_response_alg", "userinfo_signed_response_alg"):
        alg = getattr(new, field)
        made = (
            signing.USUAL if alg in ("", *signing.USUAL) else (*signing.USUAL, *signing.available())
        )
        yield field, [alg], made if field.startswith("id_token") else ("", *made)
    for what in ("id_token", "userinfo"):
        for part, known in (("alg", ALGORITHMS), ("enc", ENCODINGS)):
            field = f"{what}_encrypted_response_{part}"
            yield field, [getattr(new, field)], ("", *known)


def _check_name(field: str, name: str) -> None:
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise InvalidRegistrationError(field, "must be 1 to 100 printable characters")


def _check_localized(localized: dict[str, str]) -> None:
    """Each as strictly as the one without a language (RFC 7591 2.2, RFC 5646)."""
    if len(localized) > _MOST_LOCALIZED:
        raise InvalidRegistrationError("localized", f"can hold {_MOST_LOCALIZED} texts at most")
    for name, value in localized.items():
        shown, _, tag = name.partition("#")
        if shown not in SHOWN or not _LANGUAGE.fullmatch(tag):
            known = ", ".join(SHOWN)
            raise InvalidRegistrationError(
                name[:100], f"must be one of {known}, with a language: client_name#de"
            )
        if shown == "client_name":
            _check_name(name, value)
        else:
            check_uri(name, value)


def _check_choices(field: str, chosen: Iterable[str], known: Iterable[str]) -> None:
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        raise InvalidRegistrationError(field, _one_of(known), ", ".join(unknown))


def _one_of(known: Iterable[str]) -> str:
    return "must be of " + ", ".join(sorted({*known} - {""}))


def _check_scope(new: Registration) -> None:
    """Ours, and those of its resource servers; whose another is, is not told to whoever registers itself."""
    known = {*SCOPES, *_scopes_elsewhere(new)}
    for scope in sorted(set(new.scope.split()) - known):
        if server := registry.server_of_scope(scope):
            about = f"{scope} is of {server.resource_uri}, which resources (--resource) must name"
            raise InvalidRegistrationError("scope", _one_of(known), about)
    _check_choices("scope", new.scope.split(), known)


def _check_together(new: Registration) -> None:
    if new.subject_type == "pairwise" and not new.sector_identifier_uri and len(new.hosts) > 1:
        raise InvalidRegistrationError(
            "sector_identifier_uri",
            "is missing: redirect_uris are of several hosts (OIDC Core 8.1)",
        )
    shared = new.on_loopback and not new.sector_identifier_uri
    if new.subject_type == "pairwise" and (shared or not new.sector):
        raise InvalidRegistrationError(
            "subject_type",
            "cannot be pairwise at an address that is no host of its own: give sector_identifier_uri",
        )
    if new.public and not new.require_pkce:
        raise InvalidRegistrationError("require_pkce", "cannot be off for a public client")
    if not new.require_pkce and "no-pkce" not in settings.weaker_clients:
        raise InvalidRegistrationError("require_pkce", _needs_option("no-pkce"))
    for field in ("default_max_age", "userinfo_max_age"):
        if (seconds := getattr(new, field)) is not None and not 0 <= seconds <= _LONGEST_AGE:
            raise InvalidRegistrationError(field, "must be 0 to 999999999 seconds")
    if not all(_ACR.fullmatch(acr) for acr in new.userinfo_acr_values):
        raise InvalidRegistrationError("userinfo_acr_values", "must be names of levels")


def _check_grants(new: Registration) -> None:
    """Whoever signs people in has an address and `openid`; others have neither."""
    scopes, grants = new.scope.split(), new.grant_types
    signs_in = "authorization_code" in grants
    if signs_in and not new.redirect_uris:
        raise InvalidRegistrationError("redirect_uris", "needs at least one address")
    if signs_in and "openid" not in scopes:
        raise InvalidRegistrationError("scope", "must contain openid")
    if not signs_in and (new.redirect_uris or "refresh_token" in grants):
        raise InvalidRegistrationError("grant_types", "must contain authorization_code")
    if not signs_in and set(scopes) & set(SCOPES):
        raise InvalidRegistrationError("scope", "of people needs the authorization_code grant type")
    if "offline_access" in scopes and "refresh_token" not in grants:
        raise InvalidRegistrationError("scope", "offline_access needs the refresh_token grant type")
    if "client_credentials" in grants and (new.public or not new.resources):
        raise InvalidRegistrationError(
            "grant_types",
            "client_credentials is for clients that prove who they are, with resources",
        )
    if len(new.scope) > _LONGEST_SCOPE:
        raise InvalidRegistrationError("scope", f"is longer than {_LONGEST_SCOPE} characters")


def _scopes_elsewhere(new: Registration) -> Iterator[str]:
    """Scopes of the resource servers for which it may get tokens."""
    for uri in new.resources:
        server = registry.resource_server(uri)
        if server is None:
            raise InvalidRegistrationError(
                "resources", f"has no such resource server: register it with resource_uri {uri!r}"
            )
        yield from server.resource_scopes


def _check_resource_server(new: Registration) -> None:
    scopes, life = new.resource_scope.split(), new.resource_token_lifetime
    if (scopes or life) and not new.resource_uri:
        raise InvalidRegistrationError("resource_uri", "is missing: where is the resource server?")
    if new.resource_uri and not scopes:
        raise InvalidRegistrationError("resource_scope", "needs at least one scope")
    if not all(_SCOPE.fullmatch(scope) for scope in scopes):
        raise InvalidRegistrationError("resource_scope", "has characters that no scope can have")
    if own := sorted(set(scopes) & set(SCOPES)):
        raise InvalidRegistrationError("resource_scope", f"cannot have {own[0]}: that is ours")
    if len(new.resource_scope) > _LONGEST_SCOPE:
        raise InvalidRegistrationError(
            "resource_scope", f"is longer than {_LONGEST_SCOPE} characters"
        )
    _check_scope_words(new.resource_scope_words, scopes)
    if life is not None and not 30 <= life <= _LONGEST_LIFE:
        raise InvalidRegistrationError("resource_token_lifetime", "must be 30 seconds to 12 hours")


def _check_scope_words(words: dict[str, str], scopes: list[str]) -> None:
    """`read` or `read#en` to text, for scopes that there are; a `#` may be in a scope's name too."""
    for name, text in words.items():
        scope, _, tag = name.rpartition("#")
        if name not in scopes and not (scope in scopes and _LANGUAGE.fullmatch(tag)):
            message = "is for its own scopes: read=… or, in a language, read#en=…"
            raise InvalidRegistrationError("resource_scope_words", message, name)
        _check_name("resource_scope_words", text)


def _check_legacy(new: Registration) -> None:
    """Whoever may know old identifiers knows them of some sources, and not for ever."""
    if "legacy" in new.scope.split() and not new.legacy_sources:
        raise InvalidRegistrationError("scope", "legacy needs legacy_sources: name the old systems")
    if new.legacy_sources and new.legacy_until is None:
        raise InvalidRegistrationError("legacy_until", "is missing: name the last day")


def _check_keys(new: Registration) -> None:
    """Whoever signs has keys, in one place, that are public."""
    if new.jwks is not None and new.jwks_uri:
        raise InvalidRegistrationError("jwks", "cannot stand beside jwks_uri: keep one of them")
    try:
        own = keys.read(new.jwks) if new.jwks is not None else ()
    except keys.UnusableKeysError as error:
        raise InvalidRegistrationError("jwks", str(error)) from None
    if new.encrypts and not own and not new.jwks_uri:
        raise InvalidRegistrationError("jwks", "is missing: with which key should we encrypt?")
    signs = new.token_endpoint_auth_method == "private_key_jwt"
    signs |= new.request_object_signing_alg not in {"", "none"}
    if signs and not own and not new.jwks_uri:
        raise InvalidRegistrationError(
            "jwks", "is missing: give the public keys, or their jwks_uri"
        )
    unsigned = new.request_object_signing_alg == "none"
    if unsigned and "unsigned-requests" not in settings.weaker_clients:
        raise InvalidRegistrationError(
            "request_object_signing_alg", _needs_option("unsigned-requests")
        )
    if new.require_signed_request_object and new.request_object_signing_alg in {"", "none"}:
        raise InvalidRegistrationError(
            "require_signed_request_object",
            "needs request_object_signing_alg: name how they are signed",
        )


def _needs_option(name: str) -> str:
    return f"asks for what this provider does not allow: see {name} in IDP_WEAKER_CLIENTS"
