"""What is registered of a relying party, in the words of RFC 7591: one list, whoever writes or reads it."""

import re
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import TypeAdapter
from sqlalchemy import JSON, Dialect, TypeDecorator

SHOWN = ("client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri")
"""What people see of a client; each may be given in several languages (RFC 7591 2.2)."""
CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
"""A client's public name."""


LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Registration:
    """Client metadata; what a registration leaves out has the value given here."""

    client_name: str
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    application_type: str = "web"
    # Of the house: its people are asked for no consent.
    first_party: bool = True
    client_uri: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    # The same in other languages: `client_name#de` and so on to text.
    localized: dict[str, str] = field(default_factory=dict)
    initiate_login_uri: str = ""
    backchannel_logout_uri: str = ""
    # They are always told the session: `sid` is in every ID token and every logout token.
    backchannel_logout_session_required: bool = True
    grant_types: tuple[str, ...] = ("authorization_code",)
    subject_type: str = "public"
    sector_identifier_uri: str = ""
    scope: str = "openid profile email phone address"
    token_endpoint_auth_method: str = "client_secret_basic"
    id_token_signed_response_alg: str = "RS256"
    id_token_encrypted_response_alg: str = ""
    id_token_encrypted_response_enc: str = ""
    userinfo_signed_response_alg: str = ""
    userinfo_encrypted_response_alg: str = ""
    userinfo_encrypted_response_enc: str = ""
    token_endpoint_auth_signing_alg: str = ""
    # Public keys (RFC 7517), here or at an address.
    jwks: dict[str, Any] | None = None
    jwks_uri: str = ""
    request_object_signing_alg: str = ""
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    require_pkce: bool = True
    # Claims of the scope also in the ID token, for an application that reads only that.
    id_token_scope_claims: bool = False
    default_max_age: int | None = None
    # Its access tokens are good only with a key of its own (RFC 9449).
    dpop_bound_access_tokens: bool = False
    # What userinfo asks of a sign-in, however the token came to be (RFC 9470).
    userinfo_max_age: int | None = None
    userinfo_acr_values: tuple[str, ...] = ()
    # Resource servers for which it may get tokens (RFC 8707).
    resources: tuple[str, ...] = ()
    # A resource server itself: its address, scopes of its own, and how tokens for it are made (RFC 9068).
    resource_uri: str = ""
    resource_scope: str = ""
    # What each of them allows, in the words of people: `read`, or `read#en` in one language.
    resource_scope_words: dict[str, str] = field(default_factory=dict)
    resource_token_format: str = "jwt"
    resource_token_lifetime: int | None = None
    # Old systems whose identifiers it may learn (scope `legacy`), to this day.
    legacy_sources: tuple[str, ...] = ()
    legacy_until: date | None = None

    @property
    def public(self) -> bool:
        """Known by PKCE only, without anything to prove who it is (RFC 6749 2.1)."""
        return self.token_endpoint_auth_method == "none"

    def in_language(self, locale: str) -> Self:
        """As people who read this language see it; what is not said in it stays as it is."""
        said: dict[str, Any] = _said_in(locale, self.localized)
        return replace(self, **said) if said else self

    def words_of(self, scope: str, locale: str) -> str | None:
        """What a scope of its own allows, for people who read this language; None where that is not said.

        A name with `#` that is a scope itself says nothing of another one.
        """
        words, own = self.resource_scope_words, self.resource_scope.split()
        in_languages = {name: text for name, text in words.items() if name not in own}
        return _said_in(locale, in_languages).get(scope, words.get(scope))

    @property
    def hosts(self) -> set[str]:
        """Those of its redirect URIs."""
        return {urlsplit(uri).hostname or "" for uri in self.redirect_uris}

    @property
    def on_loopback(self) -> bool:
        """Any program of the person's computer could answer at one of its redirect URIs."""
        return not self.hosts.isdisjoint(LOOPBACK)

    @property
    def sector(self) -> str:
        """The host that stands for all clients which know people by the same pairwise `sub`."""
        address = self.sector_identifier_uri or next(iter(self.redirect_uris), self.resource_uri)
        return urlsplit(address).hostname or ""

    @property
    def encrypts(self) -> bool:
        """Something is encrypted for it, so its keys must be known."""
        return bool(self.id_token_encrypted_response_alg or self.userinfo_encrypted_response_alg)

    @property
    def has_secret(self) -> bool:
        """Known by a secret that we made."""
        return self.token_endpoint_auth_method in {"client_secret_basic", "client_secret_post"}


def _said_in(locale: str, texts: dict[str, str]) -> dict[str, str]:
    """Those for people who read this language, by their name without it; the shortest tag wins."""
    said: dict[str, str] = {}
    for name in sorted(texts, key=len):
        bare, _, tag = name.rpartition("#")
        if tag.partition("-")[0].lower() == locale:
            said.setdefault(bare, texts[name])
    return said


_SHAPE = TypeAdapter(Registration)


def as_json(registration: Registration) -> dict[str, Any]:
    """Plain values, for JSON, under the names of RFC 7591: `client_name#de` beside `client_name`."""
    values: dict[str, Any] = _SHAPE.dump_python(registration, mode="json")
    localized: dict[str, str] = values.pop("localized")
    return {**values, **localized}


def gather(values: dict[str, Any]) -> dict[str, Any]:
    """The other way round: what is said in a language, together in `localized`."""
    plain = {name: value for name, value in values.items() if "#" not in name}
    localized = {name: value for name, value in values.items() if "#" in name}
    return {**plain, "localized": localized} if localized else plain


class Stored(TypeDecorator[Registration]):
    """A registration in a JSON column."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> dict[str, Any]:  # noqa: ARG002
        """Into the column."""
        return as_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Registration:  # noqa: ARG002
        """Out of the column."""
        return _SHAPE.validate_python(gather(value))
