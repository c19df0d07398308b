"""Who may see a step: the interaction's own browser, in time, and only at the derived step. Who may see an
account: its owner, freshly signed in."""

from collections.abc import Callable
from functools import wraps

from flask import g, url_for
from werkzeug.wrappers import Response

from idp.clients import registry
from idp.errors import PageError
from idp.flow import visit
from idp.flow.interaction import Interaction, Notice, client_of, expired, load
from idp.flow.position import MovedOnError, Position, locate
from idp.flow.steps import Step
from idp.flow.visit import Visit, VisitOverError
from idp.sessions import browser as sessions
from idp.sessions.browser import LiveSession
from idp.web import cookies, headers, known_browsers, locale
from idp.web.network import network
from idp.web.responses import onward, to_step


def own_interaction(interaction_id: str) -> Interaction:
    """The interaction of this browser. Raises PageError when it is another's, unknown, or over."""
    browser = cookies.present_browser()
    interaction = load(interaction_id, browser) if browser else None
    if interaction is None:
        raise PageError(
            "Cette page n’est pas ouverte dans le navigateur où la connexion a commencé, ou les "
            "cookies y sont refusés. Revenez au service et reconnectez-vous.",
            return_to=_way_back(client_of(interaction_id)),
        )
    g.locale = interaction.locale
    if expired(interaction):
        raise PageError(
            "Cette connexion a duré trop longtemps. Recommencez : ce que vous aviez choisi est gardé.",
            status=410,
            return_to=_way_back(interaction.client_id) or _own_way_back(interaction),
        )
    return interaction


def own_position(interaction_id: str) -> Position:
    """Where this browser's interaction stands."""
    interaction = own_interaction(interaction_id)
    asked = interaction.request.get("redirect_uri")
    headers.allow_forms_to([asked] if asked else [])
    return locate(interaction)


def step_page(
    *steps: Step,
) -> Callable[[Callable[[Position], Response]], Callable[[str], Response]]:
    """Let a handler run only at one of its steps; from anywhere else, 303 to the derived one."""

    def decorate(handler: Callable[[Position], Response]) -> Callable[[str], Response]:
        @wraps(handler)
        def guarded(interaction_id: str) -> Response:
            position = own_position(interaction_id)
            if position.step not in steps:
                return to_step(interaction_id, position.step)
            try:
                return handler(position)
            except MovedOnError:
                return onward(interaction_id)

        guarded.steps = steps  # type: ignore[attr-defined]  # read by the table of routes
        return guarded

    return decorate


def agreement_page(
    *steps: Step,
) -> Callable[[Callable[[Position, LiveSession], Response]], Callable[[str], Response]]:
    """A step for whoever is signed in here to answer; where the session is another, or over, ANSWER leads
    to what comes first."""

    def decorate(
        handler: Callable[[Position, LiveSession], Response],
    ) -> Callable[[str], Response]:
        @wraps(handler)
        def signed_in(position: Position) -> Response:
            session = sessions.find(cookies.session_token())
            stands = position.interaction.authentication_id
            if session is None or session.authentication_id != stands:
                return to_step(position.interaction.id, Step.ANSWER)
            return handler(position, session)

        return step_page(*steps)(signed_in)

    return decorate


def account_page(handler: Callable[[Visit], Response]) -> Callable[[], Response]:
    """Let a handler run for a person whose sign-in is fresh; others sign in first and come back."""

    @wraps(handler)
    def guarded() -> Response:
        present = visit.find(cookies.session_token(), cookies.browser_digest(), locale.select())
        if present is None:
            return _sign_in_first()
        try:
            return handler(present)
        except VisitOverError:
            return _sign_in_first()

    return guarded


def sign_in_again(changed: Visit, epoch: int, *, identifier: str, notice: Notice) -> Response:
    """To a sign-in after a change that ended all sessions; `notice` is what its page says first.

    The browser goes on knowing the account, whose epoch is a new one: it has just shown both factors, and its
    next sign-in is no news to the owner.
    """
    browser = cookies.browser_digest()
    interaction = visit.sign_in_again(
        browser, locale.select(), identifier=identifier, notice=notice
    )
    answer = onward(interaction)
    known_browsers.remember(answer, changed.account.sub, epoch)
    return answer


def _sign_in_first() -> Response:
    return onward(visit.sign_in_first(cookies.browser_digest(), locale.select(), network()))


def _own_way_back(interaction: Interaction) -> str | None:
    return url_for("pages.account") if interaction.client_id is None else None


def _way_back(client_id: int | None) -> str | None:
    """An address of the relying party that begins afresh; registered, so trusted."""
    client = registry.by_row_id(client_id) if client_id is not None else None
    return (client.initiate_login_uri or client.client_uri or None) if client else None
