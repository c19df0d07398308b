"""After signing in: what an application that is not of the house would learn, and whether the person agrees."""

from urllib.parse import urlsplit

from werkzeug.wrappers import Response

from idp.clients.registration import LOOPBACK
from idp.flow import agreeing
from idp.flow.position import Position
from idp.flow.steps import Step
from idp.pages import scopes
from idp.pages.blueprint import STEP, blueprint
from idp.sessions.browser import LiveSession
from idp.web import headers
from idp.web.guard import agreement_page
from idp.web.responses import onward, page


@blueprint.get(f"{STEP}/consent")
@agreement_page(Step.CONSENT)
def consent(position: Position, _session: LiveSession) -> Response:
    """Say who asks, for what, and where the person goes from here."""
    standing, back = position.standing, position.interaction.request["redirect_uri"]
    assert standing is not None, "the step follows from it"
    headers.allow_image_from(position.client.logo_uri)
    return page(
        "consent.html",
        position=position,
        learns=scopes.in_words(standing.scopes - standing.known or standing.scopes),
        stays=scopes.in_words(standing.scopes & standing.known),
        more=bool(standing.known) and not standing.scopes <= standing.known,
        target=urlsplit(back).netloc,
        here=urlsplit(back).hostname in LOOPBACK,
    )


@blueprint.post(f"{STEP}/consent")
@agreement_page(Step.CONSENT)
def give_consent(position: Position, session: LiveSession) -> Response:
    """«Donner l’accès»."""
    agreeing.consent(position, session)
    return onward(position.interaction.id)
