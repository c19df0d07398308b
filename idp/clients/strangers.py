"""Relying parties that register themselves (RFC 7591, 7592; OIDC Dynamic Client Registration 1.0)."""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select, update

from idp import clock
from idp.clients import manage, metadata, registry, rules
from idp.clients.client import Client
from idp.clients.registration import CLIENT_ID, SHOWN, Registration, as_json, gather
from idp.clients.registry import RegisteredClient
from idp.clients.rules import InvalidRegistrationError
from idp.extensions import affected, db, settings
from idp.security import tokens

_THEIRS = {
    *("localized", "logo_uri", "policy_uri", "tos_uri"),
    *("client_name", "client_uri", "redirect_uris", "post_logout_redirect_uris"),
    *("initiate_login_uri", "application_type", "grant_types", "scope", "default_max_age"),
    *("backchannel_logout_uri", "backchannel_logout_session_required"),
    *("subject_type", "sector_identifier_uri", "jwks", "jwks_uri"),
    *("token_endpoint_auth_method", "token_endpoint_auth_signing_alg"),
    *("id_token_signed_response_alg", "userinfo_signed_response_alg", "id_token_scope_claims"),
    *("id_token_encrypted_response_alg", "id_token_encrypted_response_enc"),
    *("userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc"),
    *("request_object_signing_alg", "require_signed_request_object"),
    *("require_pushed_authorization_requests", "dpop_bound_access_tokens"),
}
_PLAIN = Registration("")
FIXED: dict[str, Any] = {
    name: value for name, value in vars(_PLAIN).items() if name not in _THEIRS
} | {"first_party": False}
"""What a stranger has no say in: it is a third party, and all that is not named above is as by default."""
_SIGNS = frozenset("0123456789 -.,'’&()+")
_MOST_ADDRESSES = 20
_OURS = ("Votre compte", "Connexion", "Your account", "Sign in")
_STRUCK = str.maketrans(dict(zip("ıłøŁØđĐħŧæœÆŒß", "iloLOdDhtaoAOs", strict=True)))
"""Letters of western Europe that have no accent to take off."""
_LOOK_ALIKE = str.maketrans("0ij1", "olll")
_GRANT_TYPES = {"authorization_code", "refresh_token"}

_FOR_GOOD = "stays as it is: register anew"
_FOR_OPERATORS = "is for the operator of this provider to give"


@dataclass(frozen=True)
class Registered:
    """A client that registered itself; its secret, if it has one, and its token are not kept."""

    client: Client
    secret: str | None
    token: str


def read(
    sent: dict[str, Any],
    client_id: str = "",
    old: Registration | None = None,
    *,
    require_pkce: bool = True,
) -> Registration:
    """What somebody would register: unknown members are left aside, null is what was not said (RFC 7591 2).

    `client_id` is the public name of whom it would change, `old` what that is: what is the operator's stays.
    Without `require_pkce` who proves who it is may do without.
    Raises InvalidRegistrationError.
    """
    asked = FIXED | {"require_pkce": require_pkce}
    fixed = {name: getattr(old, name) for name in FIXED} if old else asked
    given = _given(sent, fixed)
    new = _whole({**given, **fixed})
    # Any program of a computer can take the code of another (RFC 8252 8.1); a secret in one is none (8.5).
    anybody = new.public or new.application_type == "native"
    new = replace(new, require_pkce=new.require_pkce or anybody)
    _check_own(new)
    if old:
        _check_subjects(new, old)
    rules.check(new)
    _check_names(new, client_id)
    return new


def register(new: Registration, *, vouched: bool) -> Registered:
    """Store it, in the caller's transaction. Unless somebody vouched for it, it stays only while it is used.

    Raises InvalidRegistrationError.
    """
    client, secret = manage.create(new)
    token = tokens.new_token()
    client.management_digest = tokens.digest(token)
    client.kept_until = None if vouched else _kept_until()
    db.session.flush()
    return Registered(client, secret, token)


def managed(client_id: str, token: str) -> Client | None:
    """The client of this public name, if this is its registration access token."""
    if not CLIENT_ID.fullmatch(client_id):
        return None
    client = manage.get(client_id)
    digest = client.management_digest if client else None
    return client if digest and tokens.same(digest, tokens.digest(token)) else None


def note_use(client: RegisteredClient) -> None:
    """People sign in there, so it stays: written once in half the time that it is kept, if it could go."""
    half = clock.now() + settings.registration_unused / 2
    if client.kept_until is not None and client.kept_until < half:
        values = {"kept_until": _kept_until(), "updated_at": Client.updated_at}
        db.session.execute(update(Client).where(Client.id == client.id).values(values))
        registry.changed()


def purge(limit: int) -> int:
    """Delete up to `limit` clients that nobody vouched for and nobody uses; how many went."""
    over = select(Client.id).where(Client.kept_until < clock.now()).limit(limit)
    gone = affected(delete(Client).where(Client.id.in_(over)))
    if gone:
        registry.changed()
    return gone


def _given(sent: dict[str, Any], fixed: dict[str, Any]) -> dict[str, Any]:
    """What is sent of what we know; of what is `fixed` nothing else."""
    told = {name: value for name, value in sent.items() if value not in (None, "")}
    said = gather({name: value for name, value in told.items() if _is_known(name)})
    if said.get("response_types", ["code"]) != ["code"]:
        raise InvalidRegistrationError("response_types", "must be code")
    given = {name: _typed(name, said[name]) for name in said.keys() & metadata.KINDS.keys()}
    for name in given.keys() & FIXED.keys():
        if given[name] != fixed[name]:
            raise InvalidRegistrationError(name, _FOR_OPERATORS)
    return given


def _is_known(name: str) -> bool:
    """Whether it can be of ours; what people see also in a language (RFC 7591 2.2)."""
    shown, hash_, _language = name.partition("#")
    return shown in SHOWN if hash_ else name != "localized"


def _typed(name: str, value: Any) -> Any:
    try:
        return metadata.as_field(name, value)
    except ValueError as error:
        raise InvalidRegistrationError(name, f"cannot be read: {error}") from None


def _whole(given: dict[str, Any]) -> Registration:
    """With a name, and the scope that goes with the grants, where none was given."""
    if not given.get("redirect_uris"):
        raise InvalidRegistrationError("redirect_uris", "needs at least one address")
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        if len(given.get(name, ())) > _MOST_ADDRESSES:
            raise InvalidRegistrationError(name, f"may have {_MOST_ADDRESSES} addresses at most")
    offline = " offline_access" if "refresh_token" in given.get("grant_types", ()) else ""
    new = Registration(**{"client_name": "", "scope": _PLAIN.scope + offline, **given})
    for uri in new.redirect_uris:
        rules.check_uri("redirect_uris", uri)
    for name in ("initiate_login_uri", "sector_identifier_uri"):
        if uri := getattr(new, name):
            rules.check_uri(name, uri)
    return new if new.client_name else replace(new, client_name=_host(new))


def _check_own(new: Registration) -> None:
    """What fields that are theirs may not say, whatever the deployment allows others."""
    for field, strange in (
        ("scope", "legacy" in new.scope.split()),
        ("request_object_signing_alg", new.request_object_signing_alg == "none"),
        ("grant_types", not set(new.grant_types) <= _GRANT_TYPES),
    ):
        if strange:
            raise InvalidRegistrationError(field, "has what " + _FOR_OPERATORS)
    if urlsplit(new.initiate_login_uri).scheme == "http":
        raise InvalidRegistrationError("initiate_login_uri", "must be https")


def _check_subjects(new: Registration, old: Registration) -> None:
    """Whoever changed how it knows people would learn what another sector, or everybody, calls them."""
    if "pairwise" not in {new.subject_type, old.subject_type}:
        return
    if new.subject_type != old.subject_type:
        raise InvalidRegistrationError("subject_type", _FOR_GOOD)
    if new.sector != old.sector:
        raise InvalidRegistrationError(
            "redirect_uris", "cannot lead to another sector: register anew"
        )


def _host(new: Registration) -> str:
    return min(new.hosts, default="")[:100]


def _check_names(new: Registration, client_id: str) -> None:
    for name, text in as_json(new).items():
        # Where none was given it is the address that people come back to.
        if name.partition("#")[0] == "client_name" and text != _host(new):
            _check_not_taken(text, client_id)


def _check_not_taken(name: str, client_id: str) -> None:
    """Not that of an application whose users know it: they would take one for the other (RFC 7591 5)."""
    plain = all(map(_is_plain, unicodedata.normalize("NFC", name)))
    if not plain or not _alike(name) or re.search(r"\w\.\w", name):
        raise InvalidRegistrationError(
            "client_name",
            "must be of Latin letters, digits, blanks and - . , ' & ( ) + only, no address",
        )
    known = [client for client in registry.all_clients() if client.client_id != client_id]
    theirs = [client for client in known if not client.by_itself]
    names = {client.client_name for client in theirs} | {
        text
        for client in theirs
        for field, text in client.localized.items()
        if field.startswith("client_name")
    }
    if _alike(name) in {_alike(one) for one in {*names, *_OURS, settings.mail_from_name}}:
        raise InvalidRegistrationError("client_name", "is that of another application")


def _is_plain(letter: str) -> bool:
    """No letter that looks like another one, or like nothing: what is left without its accents is A to Z."""
    bare = unicodedata.normalize("NFKD", letter)[0].translate(_STRUCK)
    return letter in _SIGNS or (letter.isalpha() and letter <= "\u017f" and bare.isascii())


def _alike(name: str) -> str:
    """What of a name people tell it from others by."""
    bare = unicodedata.normalize("NFKD", name).translate(_STRUCK).casefold().translate(_LOOK_ALIKE)
    return "".join(letter for letter in bare if letter.isalnum())


def _kept_until() -> datetime:
    return clock.now() + settings.registration_unused
