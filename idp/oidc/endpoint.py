"""What every endpoint does that clients post forms to."""

from collections.abc import Callable

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from flask import request
from werkzeug.wrappers import Response

from idp.extensions import transaction
from idp.oidc import client_authentication, refusals
from idp.oidc.client_authentication import claimed, method_used
from idp.oidc.server import server

_LONGEST = 16_000


def answered(respond: Callable[[], Response]) -> Response:
    """One good form, one transaction, committed for refusals too; never kept by a cache."""
    try:
        check_form()
    except OAuth2Error as error:
        refused: Response = server.handle_error_response(None, error)
        return refused
    client_authentication.load_keys(request.form)
    with transaction():
        answer = respond()
        refusals.of_application(
            claimed(request.form), request.path.strip("/"), answer, method_used(request.form)
        )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def check_form() -> None:
    """Refuse what Authlib would take: fields in the query, fields twice, two ways to authenticate."""
    if request.mimetype != "application/x-www-form-urlencoded":
        raise InvalidRequestError("Send the parameters as application/x-www-form-urlencoded.")
    if request.args:
        raise InvalidRequestError("Parameters in the query are not accepted.")
    if any(len(values) > 1 for name, values in request.form.lists() if name != "resource"):
        raise InvalidRequestError("A parameter was sent more than once.")
    if any(len(value) > _LONGEST for _, value in request.form.items(multi=True)):
        raise InvalidRequestError("A parameter is too long.")
    ways = ("client_secret", "client_assertion")
    if ("Authorization" in request.headers) + sum(way in request.form for way in ways) > 1:
        raise InvalidRequestError("Authenticate in one way only.")
