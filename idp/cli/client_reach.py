"""What an application's addresses answer, asked from here as the provider asks them."""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from idp.cli.checks import Finding
from idp.clients import addresses, keys, sectors
from idp.clients.keys import UnusableKeysError
from idp.clients.registration import Registration
from idp.clients.rules import InvalidRegistrationError
from idp.security.outgoing import Service, SilentError

_service = Service(at_once=4, largest=64 * 1024)
_FAR = "if it is in a private network, name that in IDP_CLIENT_NETWORKS"
_WORDS = {
    "SSLError": "its certificate is not trusted",
    "ConnectionError": "no connection, or no public address",
}
"""What the library's names of errors mean."""
_MOST = 10
"""Redirect URIs that are asked: each may take as long as its time-out."""


def of_addresses(new: Registration) -> Iterator[Finding]:
    """Everything that can be asked. Must not run inside a transaction."""
    for uri in [uri for uri in new.redirect_uris if urlsplit(uri).scheme == "https"][:_MOST]:
        yield _page(uri)
    yield from _sector(new)
    yield from _keys(new)
    if new.backchannel_logout_uri:
        yield _backchannel(new.backchannel_logout_uri)


def _in_words(error: Exception) -> str:
    text = str(getattr(error, "message", error))
    for name, words in _WORDS.items():
        text = text.replace(name, words)
    return text


def _page(uri: str) -> Finding:
    """People's browsers go there, not we: only a bad certificate is bad for them too."""
    try:
        status = addresses.ask(_service, "HEAD", uri).status
    except SilentError as error:
        if str(error) == "SSLError":
            message = (
                f"{uri}: its certificate is not one that browsers trust; renew it, with its chain"
            )
            return Finding("error", "redirect_uris", message)
        message = f"{uri} does not answer here ({_in_words(error)}): can browsers reach it? {_FAR}"
        return Finding("warning", "redirect_uris", message)
    if status in {404, 410}:
        message = f"{uri} answers {status}: is this the path of the callback?"
        return Finding("warning", "redirect_uris", message)
    return Finding("ok", "redirect_uris", f"{uri} answers over TLS")


def _sector(new: Registration) -> Iterator[Finding]:
    if not new.sector_identifier_uri:
        return
    try:
        sectors.check(new)
        yield Finding("ok", "sector_identifier_uri", "lists every redirect URI")
    except InvalidRegistrationError as error:
        message = (
            f"{_in_words(error)}: it must answer with a JSON array of all redirect_uris; {_FAR}"
        )
        yield Finding("error", "sector_identifier_uri", message)


def _keys(new: Registration) -> Iterator[Finding]:
    where = "jwks_uri" if new.jwks_uri else "jwks"
    if not new.jwks_uri and new.jwks is None:
        return
    try:
        found = keys.ask(new.jwks_uri) if new.jwks_uri else keys.read(new.jwks)
    except UnusableKeysError as error:
        message = f"no keys ({_in_words(error)}): it must answer 200 with a JWK Set; {_FAR}"
        yield Finding("error", where, message)
        return
    yield Finding("ok" if found else "error", where, f"{len(found)} keys that can be used")
    names = Counter(key.kid for key in found)
    if len(found) > 1 and (None in names or max(names.values()) > 1):
        message = "several keys and not a kid of its own for each: we cannot tell them apart"
        yield Finding("warning", where, message)
    if new.jwks_uri:
        keys.load(new, None)
    yield from _fitting(new, where)


def _fitting(new: Registration, where: str) -> Iterator[Finding]:
    """A key for everything that it signs or that is encrypted for it."""
    signs = {"request_object_signing_alg": new.request_object_signing_alg}
    if new.token_endpoint_auth_method == "private_key_jwt":
        signs["token_endpoint_auth_signing_alg"] = new.token_endpoint_auth_signing_alg or "any"
    for field, alg in signs.items():
        algs = keys.ALGORITHMS if alg == "any" else (alg,)
        if alg not in {"", "none"} and not any(keys.fitting(new, one, None) for one in algs):
            message = (
                f"is {alg}, and no key in {where} can sign so: publish one, with use sig or none"
            )
            yield Finding("error", field, message)
    for what in ("id_token", "userinfo"):
        field = f"{what}_encrypted_response_alg"
        alg = getattr(new, field)
        if alg and not keys.for_encryption(new, alg):
            message = (
                f"is {alg}, and no key in {where} is for that: publish one, with use enc or none"
            )
            yield Finding("error", field, message)


def _backchannel(uri: str) -> Finding:
    """With what is no logout token, which it must refuse (Back-Channel Logout 1.0, 2.8)."""
    what = "backchannel_logout_uri"
    try:
        status = addresses.ask(_service, "POST", uri, {"logout_token": "none"}).status
    except SilentError as error:
        message = f"does not answer ({_in_words(error)}), so sessions there outlive ours: {_FAR}"
        return Finding("error", what, message)
    if status == 400:
        return Finding("ok", what, "refuses what is no logout token, as it must")
    if status in {200, 204}:
        message = f"answers {status} to what is no logout token: it must check iss, aud, signature, events"
        return Finding("error", what, message)
    advice = "does a guard against forged forms (CSRF) or a sign-in stand before it?"
    return Finding("error", what, f"answers {status} instead of 400: {advice}")
