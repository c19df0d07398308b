"""Resource servers, and clients that may use them."""

from typing import Any

from joserfc import jws, jwt

from idp.clients import manage
from idp.clients.registration import Registration
from idp.extensions import transaction
from tests.support import portal
from tests.support.portal import TestClientApp
from tests.support.signing import published

API, OTHER = "https://api.example/v1", "https://other.example/"


def register_api(uri: str = API, scope: str = "read write", **changes: Any) -> TestClientApp:
    """A resource server that signs nobody in."""
    values = {"resource_uri": uri, "resource_scope": scope, "grant_types": (), "scope": ""}
    return portal.register(Registration("API", **(values | changes)))


def allow(client: TestClientApp, *uris: str, scope: str = "read write", **changes: Any) -> None:
    """Let a client have tokens for these resource servers, besides what it may have already."""
    registered = manage.get(client.client_id)
    assert registered is not None
    more = " ".join(dict.fromkeys(f"{registered.registration.scope} {scope}".split()))
    with transaction():
        manage.update_client(client.client_id, {"resources": uris, "scope": more, **changes})


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT access token, as a resource server checks it."""
    header = jws.extract_compact(token.encode()).headers()
    return header, dict(jwt.decode(token, published(), algorithms=["RS256", "ES256"]).claims)
