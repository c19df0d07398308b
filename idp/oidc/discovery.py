"""What a relying party can read about us: discovery (OIDC Discovery 3) and the JWK Set."""

from typing import Any

from flask import Blueprint, jsonify, url_for
from werkzeug.wrappers import Response

from idp.clients.rules import AUTH_METHODS, GRANT_TYPES, SCOPES
from idp.delivery.messages import LOCALES
from idp.extensions import settings
from idp.keys import signing
from idp.oidc.claims import SCOPE_CLAIMS
from idp.oidc.request import PROMPTS
from idp.sessions.authentication import ACR

blueprint = Blueprint("discovery", __name__)

_CACHE = "public, max-age=300"
"""Far less than the time a key is published before it signs."""


@blueprint.get("/.well-known/openid-configuration")
def openid_configuration() -> Response:
    """The provider's metadata; only what is really supported."""
    return _cached({**_endpoints(), **_abilities()})


@blueprint.get("/jwks")
def jwks() -> Response:
    """Every published key, public members only."""
    return _cached(signing.public_jwks())


def _cached(body: dict[str, Any]) -> Response:
    answer = jsonify(body)
    answer.headers["Cache-Control"] = _CACHE
    return answer


def _endpoints() -> dict[str, str]:
    def at(endpoint: str) -> str:
        return settings.issuer + url_for(endpoint)

    return {
        "issuer": settings.issuer,
        "authorization_endpoint": at("authorization.authorize"),
        "token_endpoint": at("token.token"),
        "userinfo_endpoint": at("userinfo.userinfo"),
        "jwks_uri": at("discovery.jwks"),
        "end_session_endpoint": at("logout.end_session"),
    }


def _abilities() -> dict[str, Any]:
    return {
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [*GRANT_TYPES],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [*signing.ALGORITHMS],
        "scopes_supported": [*SCOPES],
        "claims_supported": ["sub", *(name for names in SCOPE_CLAIMS.values() for name in names)],
        "claim_types_supported": ["normal"],
        "token_endpoint_auth_methods_supported": [*AUTH_METHODS],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": [*ACR.values()],
        "prompt_values_supported": [*PROMPTS],
        "ui_locales_supported": [*LOCALES],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
