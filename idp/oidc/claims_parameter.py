"""The `claims` parameter (OIDC Core 5.5): single claims, for userinfo or the ID token, with wishes for each."""

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError

from idp.accounts.account import Account
from idp.clients.registry import RegisteredClient
from idp.oidc import claims
from idp.oidc.claims import SCOPE_CLAIMS
from idp.security import strict_json

PLACES = ("userinfo", "id_token")

Wish = dict[str, Any]
"""What a claim must be: `value`, `values` or nothing said; `essential` changes no answer but for `acr`."""
Wishes = dict[str, dict[str, Wish]]
"""Place to claim to wish; what an authorization request stores."""


def read(text: str | None, client: RegisteredClient) -> Wishes:
    """The wishes that count: claims that the client's scopes cover, and what is asked of sub and acr.

    Raises InvalidRequestError for what is not of the shape of OIDC Core 5.5.
    """
    if not text:
        return {}
    try:
        asked = strict_json.loads(text)
    except ValueError:
        raise InvalidRequestError("The claims parameter is not JSON that we can read.") from None
    if not isinstance(asked, dict):
        raise InvalidRequestError("The claims parameter must be a JSON object.")
    return {place: wishes for place in PLACES if (wishes := _of_place(asked.get(place), client))}


def _of_place(asked: Any, client: RegisteredClient) -> dict[str, Wish]:
    if asked is None:
        return {}
    if not isinstance(asked, dict):
        raise InvalidRequestError("The members of the claims parameter must be JSON objects.")
    heard = _covered(client) | {"sub", "acr"}
    return {name: _wish(wish) for name, wish in asked.items() if name in heard}


def _covered(client: RegisteredClient) -> set[str]:
    """Claims that the client's scopes are about."""
    return {name for scope in client.scopes for name in SCOPE_CLAIMS.get(scope, ())}


def scopes(wishes: Wishes, client: RegisteredClient) -> tuple[str, ...]:
    """Those of the client's scopes that the wished claims are of; one claim counts as the whole scope."""
    asked = {name for place in wishes.values() for name in place}
    return tuple(sorted(s for s in client.scopes if asked & set(SCOPE_CLAIMS.get(s, ()))))


def _wish(asked: Any) -> Wish:
    wish = {} if asked is None else asked
    if not isinstance(wish, dict):
        raise InvalidRequestError("What is asked of a claim must be null or a JSON object.")
    if not isinstance(wish.get("essential", False), bool):
        raise InvalidRequestError("essential must be true or false.")
    if not isinstance(wish.get("values", []), list):
        raise InvalidRequestError("values must be a JSON array.")
    return {name: wish[name] for name in ("essential", "value", "values") if name in wish}


def wanted(wish: Wish) -> list[Any] | None:
    """The values that would do; None when any does."""
    if "value" in wish:
        return [wish["value"]]
    values: list[Any] | None = wish.get("values")
    return values


def fulfilled(
    wishes: Mapping[str, Wish], account: Account, client: RegisteredClient
) -> dict[str, Any]:
    """Of the known claims those that are asked for, as far as the client's scopes still reach; one that has not
    the value asked for is left out."""
    if not wishes:
        return {}
    covered = _covered(client)
    known = {name: value for name, value in claims.known(account).items() if name in covered}
    found = {name: (known[name], wanted(wish)) for name, wish in wishes.items() if name in known}
    return {name: value for name, (value, do) in found.items() if do is None or value in do}


def subject(wishes: Wishes) -> str | None:
    """The one person whom the ID token must be about (OIDC Core 5.5.1). Raises InvalidRequestError."""
    value = wishes.get("id_token", {}).get("sub", {}).get("value")
    if value is not None and not isinstance(value, str):
        raise InvalidRequestError("The value of sub must be a string.")
    return value


def levels(wishes: Wishes) -> tuple[tuple[str, ...], bool]:
    """The `acr` values asked for, and whether one of them must be reached (OIDC Core 5.5.1.1)."""
    wish = wishes.get("id_token", {}).get("acr", {})
    values = wanted(wish) or []
    return tuple(v for v in values if isinstance(v, str)), bool(wish.get("essential") and values)
