"""Authorization requests that wait in an interaction until somebody has signed in."""

from idp.accounts.addresses import parse_email
from idp.clients import redirects, registry
from idp.errors import PageError
from idp.flow import interaction as interactions
from idp.flow.interaction import Interaction
from idp.oidc.request import AuthorizationRequest
from idp.web import locale


def keep(checked: AuthorizationRequest, browser: str) -> str:
    """Store a request for a browser (or UNBOUND), in the caller's transaction; the interaction's id."""
    hint = parse_email(checked.login_hint)
    interaction = interactions.open_interaction(
        checked.client.id,
        browser,
        checked.as_json(),
        locale=locale.choose(checked.ui_locales),
    )
    interaction.identifier = hint.address if hint else ""
    return interaction.id


def read(interaction: Interaction) -> AuthorizationRequest:
    """Read a request back. Raises PageError when its client or redirect URI is registered no more."""
    row = interaction.client_id
    client = registry.by_row_id(row) if row is not None else None
    if client is None or not redirects.accepts(client, interaction.request["redirect_uri"]):
        raise PageError("Ce service n’est plus enregistré.", status=410)
    return AuthorizationRequest.from_json(client, interaction.request)
