"""Pushed authorization requests (RFC 9126): a client leaves its request here and sends the browser with a name.

What was pushed is an interaction that belongs to no browser yet, and to the first one that brings its name.
"""

import re
from dataclasses import replace

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from flask import Blueprint, jsonify, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.clients.rules import AUTH_METHODS
from idp.errors import PageError
from idp.flow import interaction as interactions
from idp.flow.interaction import BINDS_WITHIN, UNBOUND
from idp.oidc import dpop, request_object, stored
from idp.oidc.client_authentication import PROOFS
from idp.oidc.endpoint import answered
from idp.oidc.request import AuthorizationRequest, Parameters, check, trust
from idp.oidc.server import server
from idp.web.network import network

blueprint = dpop.telling_nonces(Blueprint("pushed", __name__))

_PREFIX = "urn:ietf:params:oauth:request_uri:"
_NAME = re.compile(r"[A-Za-z0-9_-]{43}")
"""What an interaction is called (`security.tokens`): nothing else is asked of a database."""


class TooManyPushedError(OAuth2Error):  # type: ignore[misc]
    """RFC 9126 2.3 names the status, and RFC 6749 the nearest word for it."""

    error = "temporarily_unavailable"
    description = "Too many requests were pushed from this network: try again in some minutes."
    status_code = 429


@blueprint.post("/par")
def push() -> Response:
    """RFC 9126 2: as strictly looked at as a request that a browser brings."""
    request_object.load_keys(request.form)
    return answered(_push)


def is_reference(parameters: Parameters) -> bool:
    """Whether a browser brings the name of a pushed request."""
    return parameters.get("request_uri", "").startswith(_PREFIX)


def find(parameters: Parameters) -> str:
    """The interaction of a name. Raises PageError: where an error could be sent is not known without it."""
    interaction_id = parameters["request_uri"].removeprefix(_PREFIX)
    client = registry.find(parameters.get("client_id", ""))
    named = _NAME.fullmatch(interaction_id) is not None
    if client is None or not named or interactions.waiting_for(interaction_id) != client.id:
        raise PageError("Ce lien de connexion a expiré. Revenez au service et réessayez.")
    return interaction_id


def _push() -> Response:
    try:
        proof = dpop.read()
        client = server.authenticate_client(
            server.create_oauth2_request(None), AUTH_METHODS, "pushed"
        ).registered
        checked = _checked(client)
        if client.public or client.kept_until:
            _admit()
        if proof:
            checked = _bound(checked, proof)
    except OAuth2Error as error:
        refused: Response = server.handle_error_response(None, error)
        return refused
    name = _PREFIX + stored.keep(checked, UNBOUND)
    answer = jsonify(request_uri=name, expires_in=int(BINDS_WITHIN.total_seconds()))
    answer.status_code = 201
    return answer


def _admit() -> None:
    """Anybody can push in the name of a public client, and have a secret where registration is open.

    Raises OAuth2Error when a network does so too often.
    """
    try:
        interactions.admit(network())
    except PageError:
        raise TooManyPushedError from None


def _bound(checked: AuthorizationRequest, proof: dpop.Proof) -> AuthorizationRequest:
    """The code will be good with this key only (RFC 9449 10.1). Raises OAuth2Error."""
    if checked.dpop_jkt not in {None, proof.jkt}:
        raise InvalidRequestError("dpop_jkt and the DPoP proof are of different keys.")
    proof.use()
    return replace(checked, dpop_jkt=proof.jkt)


def _checked(client: RegisteredClient) -> AuthorizationRequest:
    """The request as pushed by this client. Raises OAuth2Error."""
    sent = request.form.items(multi=True)
    pushed = MultiDict((name, value) for name, value in sent if name not in PROOFS)
    if pushed.setdefault("client_id", client.client_id) != client.client_id:
        raise InvalidRequestError("The client_id is not that of the client.")
    if "request_uri" in pushed:
        raise InvalidRequestError("A request_uri cannot be pushed.")
    parameters, problem = request_object.open_(pushed)
    if problem:
        raise problem
    try:
        trusted = trust(parameters)
    except PageError:
        raise InvalidRequestError("The redirect_uri must be there, as registered.") from None
    return check(trusted, parameters)
