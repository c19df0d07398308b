"""Authorization requests (OIDC Core 3.1.2.1, RFC 6749 4.1.1, RFC 7636 4.3): an ordered table of checks.

First `trust`: until client and redirect URI are known good, an error is a page and never a
redirect. Then `check`: each function looks at one thing and raises an OAuth error with a constant text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    InvalidRequestError,
    InvalidScopeError,
    UnsupportedResponseTypeError,
)
from werkzeug.datastructures import MultiDict

from idp.clients import redirects, registry
from idp.clients.registry import RegisteredClient
from idp.errors import PageError
from idp.extensions import settings
from idp.flow.agreements import Wish
from idp.flow.requirements import Requirements
from idp.oidc import claims_parameter, hints, resources
from idp.oidc.claims_parameter import Wishes
from idp.sessions.authentication import ACR

RESPONSE_MODES = ("query", "form_post")
PROMPTS = ("none", "login", "select_account", "consent")
_LONGEST = 2000
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")

Parameters = MultiDict[str, str]


class UnmetAuthenticationRequirementsError(OAuth2Error):  # type: ignore[misc]
    """OpenID Connect Core Error Code unmet_authentication_requirements 1.0."""

    error = "unmet_authentication_requirements"
    description = "The level of sign-in that the request demands was not reached."


@dataclass(frozen=True)
class Trusted:
    """Client and redirect URI are known good: from here on errors go to the client."""

    client: RegisteredClient
    redirect_uri: str
    state: str | None
    response_mode: str = "query"


@dataclass(frozen=True)
class AuthorizationRequest:
    """A checked request, in plain values that an interaction can store."""

    client: RegisteredClient
    redirect_uri: str
    state: str | None
    scope: str
    nonce: str | None
    code_challenge: str | None
    prompt: tuple[str, ...]
    max_age: int | None
    sub: str | None
    login_hint: str
    ui_locales: str
    acr_values: tuple[str, ...] = ()
    acr_essential: tuple[str, ...] = ()
    response_mode: str = "query"
    claims: Wishes = field(default_factory=dict)
    learns: tuple[str, ...] = ()
    """Scopes of claims that are asked for one by one."""
    resources: tuple[str, ...] = ()
    dpop_jkt: str | None = None

    @property
    def requirements(self) -> Requirements:
        """What is asked of the sign-in."""
        return Requirements(
            frozenset(self.prompt), self.max_age, self.sub, frozenset(self.acr_essential)
        )

    @property
    def wish(self) -> Wish:
        """What the person would have to agree to."""
        return Wish.of(self.client, vars(self))

    @property
    def trusted(self) -> Trusted:
        """Where answers go."""
        return Trusted(self.client, self.redirect_uri, self.state, self.response_mode)

    def as_json(self) -> dict[str, Any]:
        """All but the client, for the interaction's `request` column."""
        values = {name: value for name, value in vars(self).items() if name != "client"}
        lists = {name: [*value] for name, value in values.items() if isinstance(value, tuple)}
        return {**values, **lists}

    @classmethod
    def from_json(cls, client: RegisteredClient, stored: dict[str, Any]) -> Self:
        """Read back what `as_json` wrote."""
        lists = {name: tuple(value) for name, value in stored.items() if isinstance(value, list)}
        return cls(client=client, **{**stored, **lists})


def trust(parameters: Parameters) -> Trusted:
    """Client and redirect URI, or PageError. See `clients.redirects` for the URI."""
    if len(parameters.getlist("client_id")) != 1 or len(parameters.getlist("redirect_uri")) != 1:
        raise PageError("Ce lien de connexion est incomplet. Revenez au service et réessayez.")
    client = registry.find(parameters["client_id"])
    if client is None:
        raise PageError("Ce lien de connexion vient d’un service inconnu.")
    if not redirects.accepts(client, parameters["redirect_uri"]):
        raise PageError("Ce lien de connexion mène à une adresse qui n’est pas celle du service.")
    states = parameters.getlist("state")
    usable = len(states) == 1 and _size(states[0]) <= _LONGEST
    modes = parameters.getlist("response_mode")
    mode = modes[0] if len(modes) == 1 and modes[0] in RESPONSE_MODES else "query"
    return Trusted(client, parameters["redirect_uri"], states[0] if usable else None, mode)


def check(trusted: Trusted, parameters: Parameters) -> AuthorizationRequest:
    """Walk the table, then read the values. Raises OAuth2Error."""
    get, client = parameters.get, trusted.client
    for look in _TABLE:
        look(parameters, client)
    wishes = claims_parameter.read(get("claims"), client)
    levels, essential = claims_parameter.levels(wishes)
    if essential and not set(levels) & set(ACR.values()):
        raise UnmetAuthenticationRequirementsError
    servers = resources.asked_for(parameters.getlist("resource"), client)
    return AuthorizationRequest(
        client=client,
        redirect_uri=trusted.redirect_uri,
        state=trusted.state,
        scope=_granted_scope(parameters, client, servers),
        nonce=get("nonce"),
        code_challenge=get("code_challenge"),
        prompt=tuple(get("prompt", "").split()),
        max_age=int(parameters["max_age"]) if get("max_age") else client.default_max_age,
        sub=_one_person(parameters, client, wishes),
        login_hint=get("login_hint", "")[:254],
        ui_locales=get("ui_locales", "")[:100],
        acr_values=_acr_values(levels, parameters),
        acr_essential=levels if essential else (),
        response_mode=trusted.response_mode,
        claims=wishes,
        learns=claims_parameter.scopes(wishes, client),
        resources=servers,
        dpop_jkt=get("dpop_jkt"),
    )


def _no_parameter_twice(parameters: Parameters, _client: RegisteredClient) -> None:
    if any(len(values) > 1 for name, values in parameters.lists() if name != "resource"):
        raise InvalidRequestError("A parameter was sent more than once.")


def _sane_values(parameters: Parameters, _client: RegisteredClient) -> None:
    values = [*parameters.items(multi=True)]
    if any(_size(value) > _LONGEST for name, value in values if name != "id_token_hint"):
        raise InvalidRequestError("A parameter is too long.")
    if any("\x00" in value or "\ufffd" in value for _, value in values):
        raise InvalidRequestError("A parameter holds characters that are not allowed.")


def _size(value: str) -> int:
    """Bytes, which is what storing it for an hour takes."""
    return len(value.encode("utf-8", "surrogatepass"))


def _response_type(parameters: Parameters, _client: RegisteredClient) -> None:
    if "response_type" not in parameters:
        raise InvalidRequestError("The response_type parameter is missing.")
    if parameters["response_type"] != "code":
        raise UnsupportedResponseTypeError(None, description="The response_type must be code.")


def _response_mode(parameters: Parameters, _client: RegisteredClient) -> None:
    if parameters.get("response_mode", "query") not in RESPONSE_MODES:
        raise InvalidRequestError("The response_mode must be query or form_post.")


def _scope(parameters: Parameters, _client: RegisteredClient) -> None:
    if "openid" not in parameters.get("scope", "").split():
        raise InvalidScopeError("The scope must contain openid.")


def _pkce(parameters: Parameters, client: RegisteredClient) -> None:
    challenge = parameters.get("code_challenge")
    if challenge is None:
        may = "no-pkce" in settings.weaker_clients and not client.require_pkce
        if not may or "code_challenge_method" in parameters:
            raise InvalidRequestError("The code_challenge parameter is missing.")
        return
    if parameters.get("code_challenge_method") != "S256":
        raise InvalidRequestError("The code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequestError("The code_challenge is not the base64url of a SHA-256.")


def _prompt(parameters: Parameters, _client: RegisteredClient) -> None:
    values = parameters.get("prompt", "").split()
    if not set(values) <= set(PROMPTS):
        raise InvalidRequestError("The prompt parameter has a value that is not supported.")
    if "none" in values and len(values) > 1:
        raise InvalidRequestError("The prompt value none cannot stand with others.")


def _max_age(parameters: Parameters, _client: RegisteredClient) -> None:
    if not re.fullmatch(r"[0-9]{0,9}", parameters.get("max_age", "")):
        raise InvalidRequestError("The max_age parameter must be a number of seconds.")


def _dpop_jkt(parameters: Parameters, _client: RegisteredClient) -> None:
    if not _CHALLENGE.fullmatch(parameters.get("dpop_jkt", "-" * 43)):
        raise InvalidRequestError("The dpop_jkt is not the base64url of a SHA-256.")


_TABLE: tuple[Callable[[Parameters, RegisteredClient], None], ...] = (
    _no_parameter_twice,
    _sane_values,
    _response_type,
    _response_mode,
    _scope,
    _pkce,
    _prompt,
    _max_age,
    _dpop_jkt,
)


def _granted_scope(
    parameters: Parameters, client: RegisteredClient, servers: tuple[str, ...]
) -> str:
    """What was asked, is registered and understood by whom it is for; the rest is left out (RFC 6749 3.3)."""
    return resources.grantable(client.within(parameters["scope"]), servers)


def _acr_values(levels: tuple[str, ...], parameters: Parameters) -> tuple[str, ...]:
    """Those that there are, by the claims parameter first."""
    wanted = [*levels, *parameters.get("acr_values", "").split()]
    return tuple(acr for acr in wanted if acr in ACR.values())


def _hinted_sub(parameters: Parameters, client: RegisteredClient) -> str | None:
    """The subject of an ID token hint; a hint that is not ours for this client is an error."""
    token = parameters.get("id_token_hint")
    if not token:
        return None
    hint = hints.read(token)
    if hint is None or hint.client_id != client.client_id:
        raise InvalidRequestError("The id_token_hint is not an ID token of this client.")
    return hint.sub


def _one_person(parameters: Parameters, client: RegisteredClient, wishes: Wishes) -> str | None:
    """Who must sign in, by the hint or by the claims parameter (OIDC Core 3.1.2.1, 5.5.1)."""
    hinted, wanted = _hinted_sub(parameters, client), claims_parameter.subject(wishes)
    if hinted and wanted and hinted != wanted:
        raise InvalidRequestError("The id_token_hint and the claims parameter name two people.")
    return hinted or wanted
