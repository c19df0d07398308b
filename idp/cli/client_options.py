"""Client metadata as options of a command, and as a JSON file in the words of RFC 7591."""

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from idp.clients.metadata import KINDS, as_field
from idp.clients.registration import gather
from idp.clients.rules import (
    AUTH_METHODS,
    GRANT_TYPES,
    SCOPES,
    TOKEN_FORMATS,
    InvalidRegistrationError,
)
from idp.security import strict_json

F = TypeVar("F", bound=Callable[..., Any])
_SHORT = {
    "client_name": "name",
    "redirect_uris": "redirect-uri",
    "post_logout_redirect_uris": "post-logout-redirect-uri",
    "grant_types": "grant-type",
    "token_endpoint_auth_method": "auth-method",
    "token_endpoint_auth_signing_alg": "auth-alg",
    "id_token_signed_response_alg": "id-token-alg",
    "require_signed_request_object": "require-signed-requests",
    "require_pushed_authorization_requests": "require-pushed-requests",
    "legacy_sources": "legacy-source",
    "localized": "in-language",
    "resources": "resource",
    "resource_scope_words": "scope-words",
    "userinfo_acr_values": "userinfo-acr",
    "dpop_bound_access_tokens": "require-dpop",
}
"""Options that are not called as their field is."""
_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
HELP = {
    "client_name": "What users see: « Se connecter à NAME ».",
    "redirect_uris": "Exact callback address; repeatable.",
    "post_logout_redirect_uris": "Where users may go after signing out; repeatable.",
    "application_type": "web, or native: on 127.0.0.1 and [::1] any port will do.",
    "first_party": "Of the house (default); others get nothing before the person agreed.",
    "client_uri": "Home page of the application.",
    "logo_uri": "Its picture, shown where users sign in and agree.",
    "policy_uri": "Its privacy notice.",
    "tos_uri": "Its terms of use.",
    "localized": "The same in another language: client_name#de=Archiv; repeatable; empty, it goes.",
    "initiate_login_uri": "Address that starts a fresh sign-in.",
    "backchannel_logout_uri": "Address that is told when a session ends.",
    "backchannel_logout_session_required": "It always learns which (sid).",
    "grant_types": f"{', '.join(GRANT_TYPES)}; repeatable.",
    "subject_type": "public: one sub for all; pairwise: another for each sector.",
    "sector_identifier_uri": "Address that lists the redirect URIs of a sector.",
    "scope": f"Space-separated, of: {' '.join(SCOPES)}; and of its resource servers'.",
    "token_endpoint_auth_method": f"{', '.join(AUTH_METHODS)} (a public client).",
    "token_endpoint_auth_signing_alg": "How its assertions are signed; any way when left out.",
    "jwks": "JSON file with its public keys (a JWK Set).",
    "jwks_uri": "Address that publishes its public keys.",
    "id_token_signed_response_alg": "RS256, ES256, or another that has a key here.",
    "id_token_encrypted_response_alg": "Encrypt its ID tokens, with one of its keys.",
    "id_token_encrypted_response_enc": "Content encryption of its ID tokens.",
    "userinfo_signed_response_alg": "Userinfo as a signed JWT.",
    "userinfo_encrypted_response_alg": "Encrypt its userinfo.",
    "userinfo_encrypted_response_enc": "Content encryption of its userinfo.",
    "request_object_signing_alg": "How its request objects are signed; it sends none when left out.",
    "require_signed_request_object": "Refuse its requests that are not signed.",
    "require_pushed_authorization_requests": "Refuse its requests that were not pushed.",
    "require_pkce": "Demand PKCE (default).",
    "id_token_scope_claims": "Claims of the scope also in the ID token, for one that reads only that.",
    "default_max_age": "Seconds after which users sign in again; -1: no such limit.",
    "dpop_bound_access_tokens": "Refuse its token requests without a DPoP proof.",
    "userinfo_max_age": "Seconds after which userinfo asks for a fresh sign-in; -1: never.",
    "userinfo_acr_values": "Level that userinfo asks for; repeatable.",
    "resources": "Address of a resource server that it may use; repeatable.",
    "resource_uri": "It is a resource server itself, at this address.",
    "resource_scope": "Scopes of its own, space-separated.",
    "resource_scope_words": "What one of them allows, as people read it: read=lire vos factures; "
    "in another language read#en=read your bills; repeatable.",
    "resource_token_format": f"Tokens for it: {' or '.join(TOKEN_FORMATS)}.",
    "resource_token_lifetime": "Seconds that tokens for it live; -1: as all others.",
    "legacy_sources": "Old system whose identifiers it learns with the scope legacy; repeatable.",
    "legacy_until": "The last day on which it does.",
}


def metadata(command: F) -> F:
    """Every field of a registration as an option, and --from for a file with any of them."""
    for name in reversed(KINDS):
        command = _option(name)(command)
    return click.option(
        "--from",
        "file",
        type=_FILE,
        help="JSON file with client metadata (RFC 7591), - for standard input; options win over it.",
    )(command)


SHOWN_ONLY = {
    *("client_id", "registered_itself", "kept_until", "secrets", "former_secret_until"),
    *(
        "created_at",
        "updated_at",
        "client_id_issued_at",
        "client_secret",
        "client_secret_expires_at",
    ),
    *("registration_client_uri", "registration_access_token"),
}
"""What `show` and a registration over HTTP say besides the metadata: left aside where it comes back."""


def given(file: Path | None, options: dict[str, Any]) -> dict[str, Any]:
    """What the file and the options say. Raises InvalidRegistrationError, UsageError."""
    typed = {name: value for name, value in options.items() if value not in (None, ())}
    for name in ("default_max_age", "userinfo_max_age", "resource_token_lifetime"):
        if typed.get(name) == -1:
            typed[name] = None
    if "legacy_until" in typed:
        typed["legacy_until"] = typed["legacy_until"].date()
    if "localized" in typed:
        typed["localized"] = dict(_in_language(one) for one in typed["localized"])
    if words := typed.get("resource_scope_words"):
        typed["resource_scope_words"] = dict(_of_scope(one) for one in words if one)
    if "jwks" in typed:
        typed["jwks"] = _read(typed["jwks"])
    without = {name: _without_blanks(value) for name, value in typed.items()}
    return {**(_of_file(file) if file else {}), **without}


def flag(name: str) -> str:
    """How a field is typed on the command line."""
    return f"--{_SHORT.get(name, name.replace('_', '-'))}"


def _option(name: str) -> Callable[[F], F]:
    kind, words = KINDS[name], HELP[name]
    if kind is bool:
        both = f"{flag(name)}/--no-{flag(name).removeprefix('--')}"
        return click.option(both, name, default=None, help=words)
    if kind in {tuple[str, ...], dict[str, str]}:
        return click.option(flag(name), name, multiple=True, help=words)
    if kind == int | None:
        return click.option(flag(name), name, type=click.IntRange(min=-1), help=words)
    if kind == date | None:
        return click.option(flag(name), name, type=click.DateTime(["%Y-%m-%d"]), help=words)
    if kind == dict[str, Any] | None:
        return click.option(flag(name), name, type=_FILE, help=words)
    return click.option(flag(name), name, help=words)


def _of_file(file: Path) -> dict[str, Any]:
    values = _read(file)
    if not isinstance(values, dict):
        raise click.UsageError(f"{file} must hold one JSON object.", click.get_current_context())
    values = {name: value for name, value in gather(values).items() if name not in SHOWN_ONLY}
    if values.pop("response_types", ["code"]) != ["code"]:
        raise InvalidRegistrationError("response_types", f"must be code (in {file})")
    if unknown := sorted(values.keys() - KINDS.keys()):
        raise InvalidRegistrationError(unknown[0], f"is no client metadata of ours (in {file})")
    return {name: _typed(name, value) for name, value in values.items()}


def _typed(name: str, value: Any) -> Any:
    try:
        return as_field(name, value)
    except ValueError as error:
        raise InvalidRegistrationError(name, f"in the file: {error}") from None


def _in_language(text: str) -> tuple[str, str]:
    name, equals, said = text.partition("=")
    if not equals or "#" not in name:
        raise _written_like("localized", "client_name#de=Archiv")
    return name, said


def _of_scope(text: str) -> tuple[str, str]:
    scope, equals, said = text.partition("=")
    if not equals:
        raise _written_like("resource_scope_words", '"read=lire vos factures"')
    return scope, said


def _written_like(name: str, example: str) -> click.UsageError:
    return click.UsageError(f"{flag(name)} is written like {example}.", click.get_current_context())


def _read(file: Path) -> Any:
    try:
        return strict_json.loads(sys.stdin.read() if str(file) == "-" else file.read_text())
    except (OSError, ValueError):
        raise click.UsageError(f"{file} is not JSON.", click.get_current_context()) from None


def _without_blanks(value: Any) -> Any:
    return tuple(one for one in value if one) if isinstance(value, tuple) else value
