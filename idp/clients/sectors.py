"""Sectors of pairwise subjects: clients of one sector know a person by one `sub` (OIDC Core 8.1)."""

from idp.clients import addresses
from idp.clients.registration import Registration
from idp.clients.rules import InvalidRegistrationError
from idp.extensions import release
from idp.security import strict_json
from idp.security.outgoing import Service, SilentError

_FIELD = "sector_identifier_uri"
_service = Service(at_once=2, largest=64 * 1024)


def check(new: Registration) -> None:
    """Ask the sector's address whether it knows every redirect URI. Must not run inside a transaction.

    Raises InvalidRegistrationError (OIDC Dynamic Client Registration 5).
    """
    uri = new.sector_identifier_uri
    if not uri:
        return
    release()
    try:
        answer = addresses.ask(_service, "GET", uri)
        listed = strict_json.loads(answer.body) if answer.status == 200 else None
    except (SilentError, ValueError) as error:
        raise InvalidRegistrationError(_FIELD, f"does not answer with JSON: {error}") from None
    if not isinstance(listed, list):
        raise InvalidRegistrationError(_FIELD, "must answer with a JSON array of redirect URIs")
    missing = [one for one in new.redirect_uris if one not in listed]
    if missing:
        raise InvalidRegistrationError(_FIELD, "does not list one of redirect_uris", missing[0])
