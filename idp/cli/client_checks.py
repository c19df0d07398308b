"""What an application's developer can get wrong, as far as the registration and our own records show it."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from idp import clock
from idp.audit import search
from idp.audit.search import Sought
from idp.cli.checks import Finding
from idp.clients import rules
from idp.clients.client import Client
from idp.clients.registration import Registration
from idp.clients.rules import InvalidRegistrationError
from idp.errors import ConfigurationError
from idp.keys import signing
from idp.oidc.grant_types import NO_CONSENT, NO_REFRESH_TOKEN
from idp.oidc.refusals import NOT_REGISTERED

_LOOK_BACK = timedelta(days=7)
_MOST = 500
_REFUSALS = ("request_refused", "client_refused", "code_reused", "refresh_token_reused")
_ADVICE = {
    NOT_REGISTERED: "compare it with redirect_uris, up to the last slash",
    "The code_challenge parameter is missing.": "switch PKCE (S256) on in the library",
    NO_REFRESH_TOKEN: "keep the newest; it ends unused, with a new password, and when access is taken back: "
    "people then sign in again",
    NO_CONSENT: "they took access back, or never gave it: send them to sign in again",
    "client_refused": "it sent a wrong secret: copy it again, or `idp clients rotate-secret`",
    "code_reused": "it redeems codes twice: is the callback reloaded, or a request repeated?",
    "refresh_token_reused": "each refresh token works once: keep the new one, refresh one at a time",
    "invalid_grant": "a code works once, for a minute, with the same redirect_uri and verifier",
    "invalid_scope": "it may ask for the scopes of its registration, and those of the API in `resource`",
    "invalid_target": "in `resource` it may name the APIs of its registration, letter by letter",
    "unauthorized_client": "it uses a grant type that it was not registered for",
    "invalid_client": "it must authenticate as registered: see to its library, or `update --auth-method`",
}
"""What to do, by what was said, by the error, or by the event."""


def of_registration(client: Client) -> Iterator[Finding]:
    """What it says of itself, against the rules of today and against itself."""
    new = client.registration
    try:
        rules.check(new)
        yield Finding("ok", "registration", "keeps every rule of this provider")
    except InvalidRegistrationError as error:
        yield Finding("error", "registration", f"{error}: it does not work as registered")
    yield from _redirects(new)
    yield from _grants(new)
    yield from _idle_words(new)
    yield from _secrets(client)
    yield from _signing(new)


def of_refusals(client_id: str) -> Iterator[Finding]:
    """What was refused in its name of late, most frequent first."""
    found: Counter[tuple[str, str, str, str]] = Counter()
    last: dict[tuple[str, str, str, str], str] = {}
    for event in _REFUSALS:
        sought = Sought(client=client_id, event=event, since=clock.now() - _LOOK_BACK)
        for one in search.newest(sought, _MOST):
            key = _kind(one)
            found[key] += 1
            last.setdefault(key, one["at"])
    for (event, where, error, why), number in found.most_common():
        said = f"{error}, «{why}»" if why else error or event
        advice = _ADVICE.get(why) or _ADVICE.get(error) or _ADVICE.get(event) or "look it up"
        times = f"{number} times" if number > 1 else "once"
        message = f"{said} {times} in a week, last {last[event, where, error, why][:16]}: {advice}"
        yield Finding("warning", f"refused at {where or 'token'}", message)
    if not found:
        yield Finding("ok", "refused requests", "none in a week")


def _kind(event: dict[str, Any]) -> tuple[str, str, str, str]:
    details = event["details"]
    where, error, why = (details.get(name, "") for name in ("where", "error", "why"))
    return event["event"], where, error, why


def _redirects(new: Registration) -> Iterator[Finding]:
    local = [uri for uri in new.redirect_uris if urlsplit(uri).scheme == "http"]
    if local and new.application_type == "web":
        message = (
            f"{local[0]} is on the user's own machine: for a trial, or with application_type native"
        )
        yield Finding("warning", "redirect_uris", message)
    if not new.redirect_uris:
        return
    if not new.post_logout_redirect_uris:
        message = "is empty: people stay on our page after signing out; name where they may go"
        yield Finding("warning", "post_logout_redirect_uris", message)
    if not new.first_party and not new.policy_uri:
        message = "is empty: people are asked to agree, and find no privacy notice"
        yield Finding("warning", "policy_uri", message)
    if not new.initiate_login_uri and not new.client_uri:
        message = (
            "is empty, like client_uri: who took too long to sign in finds no way back; name one"
        )
        yield Finding("warning", "initiate_login_uri", message)


def _grants(new: Registration) -> Iterator[Finding]:
    if "refresh_token" in new.grant_types and "offline_access" not in new.scope.split():
        message = "has refresh_token, but no refresh token is given: add offline_access to scope"
        yield Finding("warning", "grant_types", message)
    if new.public and (new.backchannel_logout_uri or new.jwks_uri):
        message = (
            "is none, but the application has a server: register it anew, with a secret or a key"
        )
        yield Finding("warning", "token_endpoint_auth_method", message)
    if new.default_max_age == 0:
        message = "is 0: people give password and code at every single sign-on"
        yield Finding("warning", "default_max_age", message)


def _idle_words(new: Registration) -> Iterator[Finding]:
    """What is registered and changes nothing."""
    if new.token_endpoint_auth_signing_alg and new.token_endpoint_auth_method != "private_key_jwt":
        message = "does nothing: token_endpoint_auth_method is not private_key_jwt"
        yield Finding("warning", "token_endpoint_auth_signing_alg", message)
    for what in ("id_token", "userinfo"):
        enc = f"{what}_encrypted_response_enc"
        if getattr(new, enc) and not getattr(new, f"{what}_encrypted_response_alg"):
            message = f"does nothing without {what}_encrypted_response_alg"
            yield Finding("warning", enc, message)
    if new.legacy_until and new.legacy_until < clock.now().date():
        message = f"was {new.legacy_until}: old identifiers are told no more"
        yield Finding("warning", "legacy_until", message)


def _secrets(client: Client) -> Iterator[Finding]:
    method = client.registration.token_endpoint_auth_method
    if not client.registration.has_secret:
        yield Finding("ok", "secret", f"none is needed: {method}")
        return
    working = client.working_secrets
    if not working:
        yield Finding("error", "secret", "none works: `idp clients rotate-secret`")
    elif None not in working:
        message = "every secret ends: `idp clients rotate-secret` makes one that stays"
        yield Finding("error", "secret", message)
    elif len(working) > 1:
        until = max(end for end in working if end)
        message = f"the former one works until {until:%Y-%m-%d %H:%M} UTC: has the application changed over?"
        yield Finding("warning", "secret", message)
    else:
        yield Finding("ok", "secret", f"one works, by {method}")


def _signing(new: Registration) -> Iterator[Finding]:
    for field in ("id_token_signed_response_alg", "userinfo_signed_response_alg"):
        alg = getattr(new, field)
        try:
            if alg:
                signing.active(alg)
        except ConfigurationError as error:
            yield Finding("error", field, str(error))
