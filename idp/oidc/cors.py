"""Which scripts may read our answers: those of public clients, on the origins of their redirect URIs.

What is public (metadata, keys) anybody may read. Nothing is ever answered for a cookie.
"""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.clients import registry

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "600",
}


def for_everybody(blueprint: Blueprint) -> Blueprint:
    """Let any script read what this blueprint answers."""
    blueprint.after_request(lambda response: _allow(response, "*"))
    return blueprint


def for_public_clients(blueprint: Blueprint) -> Blueprint:
    """Let the scripts of public clients read what this blueprint answers."""
    blueprint.after_request(_allow_clients)
    return blueprint


def _allow_clients(response: Response) -> Response:
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin")
    return _allow(response, origin) if origin and origin in registry.origins() else response


def _allow(response: Response, origin: str) -> Response:
    response.headers["Access-Control-Allow-Origin"] = origin
    if request.method == "OPTIONS":
        response.headers.update(_PREFLIGHT)
    elif origin != "*":
        response.headers["Access-Control-Expose-Headers"] = "WWW-Authenticate, DPoP-Nonce"
    return response
