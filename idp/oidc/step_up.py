"""Step-up (RFC 9470): userinfo asks for a better sign-in where the client is registered so.

Other resource servers ask by themselves: `auth_time` and `acr` are in JWT access tokens and introspection.
"""

from authlib.oauth2 import OAuth2Error

from idp import clock
from idp.clients.registry import RegisteredClient
from idp.grants.models import Token
from idp.sessions import authentication


class InsufficientUserAuthenticationError(OAuth2Error):  # type: ignore[misc]
    """Section 3; `needs` are what an authorization request must ask for, as the challenge tells it."""

    error = "insufficient_user_authentication"
    description = "The sign-in was too long ago, or of another level."
    status_code = 401

    def __init__(self, client: RegisteredClient) -> None:
        super().__init__()
        most, levels = client.userinfo_max_age, client.userinfo_acr_values
        age = {} if most is None else {"max_age": str(most)}
        self.needs = {**({"acr_values": " ".join(levels)} if levels else {}), **age}


def check(token: Token, client: RegisteredClient) -> None:
    """Raises InsufficientUserAuthenticationError."""
    most, levels = client.userinfo_max_age, client.userinfo_acr_values
    row = token.authentication
    age = (clock.now() - row.authenticated_at).total_seconds()
    too_old = most is not None and age > most
    if too_old or (levels and authentication.acr(row) not in levels):
        raise InsufficientUserAuthenticationError(client)
