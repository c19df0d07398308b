"""What a relying party can read about us: discovery (OIDC Discovery 3) and the JWK Set."""

from typing import Any

from flask import Blueprint, jsonify, request, url_for
from werkzeug.wrappers import Response

from idp.clients import keys
from idp.clients.rules import AUTH_METHODS, GRANT_TYPES, PROVING_METHODS, SCOPES, SUBJECT_TYPES
from idp.extensions import settings
from idp.keys import encryption, signing
from idp.oidc import cors
from idp.oidc.claims import SCOPE_CLAIMS
from idp.oidc.request import PROMPTS, RESPONSE_MODES
from idp.options import LOCALES
from idp.sessions.authentication import ACR
from idp.web import documents

blueprint = cors.for_everybody(Blueprint("discovery", __name__))

_CACHE = f"public, max-age={signing.CACHED.total_seconds():.0f}"
"""No key signs before it has been published for longer, but for one that replaces a revoked one."""


@blueprint.get("/.well-known/openid-configuration")
def openid_configuration() -> Response:
    """The provider's metadata; only what is really supported."""
    return _cached({**_endpoints(), **_abilities(), **_algorithms(), **_documents()})


@blueprint.get("/jwks")
def jwks() -> Response:
    """Every published key, public members only."""
    return _cached(signing.public_jwks())


def _cached(body: dict[str, Any]) -> Response:
    """Whoever asks again with the tag of what they have is told that it still holds (RFC 9110 13.1.2)."""
    answer = jsonify(body)
    answer.headers["Cache-Control"] = _CACHE
    answer.add_etag()
    return answer.make_conditional(request)


def _endpoints() -> dict[str, str]:
    def at(endpoint: str) -> str:
        return settings.issuer + url_for(endpoint)

    open_to = {"registration_endpoint": at("registration.register")}
    return {
        "issuer": settings.issuer,
        "authorization_endpoint": at("authorization.authorize"),
        "token_endpoint": at("token.token"),
        "userinfo_endpoint": at("userinfo.userinfo"),
        "jwks_uri": at("discovery.jwks"),
        "end_session_endpoint": at("logout.end_session"),
        "revocation_endpoint": at("revocation.revoke"),
        "pushed_authorization_request_endpoint": at("pushed.push"),
        "introspection_endpoint": at("introspection.introspect"),
        **(open_to if settings.registration != "off" else {}),
    }


def _abilities() -> dict[str, Any]:
    return {
        "response_types_supported": ["code"],
        "response_modes_supported": [*RESPONSE_MODES],
        "grant_types_supported": [*GRANT_TYPES],
        "subject_types_supported": [*SUBJECT_TYPES],
        "scopes_supported": [*SCOPES],
        "claims_supported": ["sub", *(name for names in SCOPE_CLAIMS.values() for name in names)],
        "claim_types_supported": ["normal"],
        "token_endpoint_auth_methods_supported": [*AUTH_METHODS],
        "revocation_endpoint_auth_methods_supported": [*AUTH_METHODS],
        "introspection_endpoint_auth_methods_supported": [*PROVING_METHODS],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": [*ACR.values()],
        "prompt_values_supported": [*PROMPTS],
        "display_values_supported": ["page", "popup", "touch"],
        "claims_locales_supported": [*LOCALES],
        "ui_locales_supported": [*LOCALES],
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": False,
    }


def _documents() -> dict[str, str]:
    """Where the deployment has them; in its own language."""
    told = documents.ours(settings.default_locale)
    found = {"op_tos_uri": told.terms, "op_policy_uri": told.privacy}
    return {name: uri for name, uri in found.items() if uri}


def _algorithms() -> dict[str, list[str]]:
    unsigned = ["none"] if "unsigned-requests" in settings.weaker_clients else []
    ours, theirs = signing.available(), [*keys.ALGORITHMS]
    return {
        "id_token_signing_alg_values_supported": ours,
        "userinfo_signing_alg_values_supported": ours,
        "request_object_signing_alg_values_supported": [*unsigned, *theirs],
        "dpop_signing_alg_values_supported": theirs,
        "token_endpoint_auth_signing_alg_values_supported": theirs,
        "introspection_endpoint_auth_signing_alg_values_supported": theirs,
        "revocation_endpoint_auth_signing_alg_values_supported": theirs,
        **{
            f"{what}_encryption_{part}_values_supported": [*values]
            for what in ("id_token", "userinfo")
            for part, values in (("alg", encryption.ALGORITHMS), ("enc", encryption.ENCODINGS))
        },
    }
