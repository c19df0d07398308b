"""Agreeing, or not, as whoever is signed in: to the terms of the deployment, to what a client would learn.

Each function looks again, in its transaction, whether the session lives and is the one that the page was
shown to; where it is not, nothing is recorded and False returned: the sign-in comes first.
"""

from idp import clock
from idp.accounts import account as accounts
from idp.accounts import changes
from idp.accounts.account import Account
from idp.audit import events
from idp.extensions import settings
from idp.flow.position import Position, acting
from idp.grants import consents
from idp.sessions import browser
from idp.sessions.browser import LiveSession


def accept_terms(position: Position, session: LiveSession, version: str) -> bool:
    """«J’accepte», to the version that the page showed; another one is shown and asked anew."""
    with acting(position) as now:
        account = _whoever(now, session)
        if account is None or version != settings.terms_version:
            return False
        if changes.accept_terms(account.id, session.epoch, version):
            now.interaction.terms_accepted_at = clock.now()
            events.terms_accepted(sub=account.sub, version=version)
        return True


def consent(position: Position, session: LiveSession) -> bool:
    """«Donner l’accès», to all that the request would learn."""
    with acting(position) as now:
        account, standing = _whoever(now, session), now.standing
        if account is None or standing is None:
            return False
        consents.give(account.id, now.client.id, standing.scopes)
        now.interaction.consented_at = clock.now()
        events.consent_given(
            sub=account.sub, client_id=now.client.client_id, scopes=sorted(standing.scopes)
        )
        return True


def refuse(position: Position, session: LiveSession) -> bool:
    """Either is refused: the client learns that, and nothing else."""
    with acting(position) as now:
        account = _whoever(now, session)
        if account is None:
            return False
        now.interaction.refused_at = clock.now()
        events.consent_refused(sub=account.sub, client_id=now.client.client_id, what=now.step.value)
        return True


def _whoever(now: Position, session: LiveSession) -> Account | None:
    """The account, if the interaction still stands on this session and the session lives."""
    stands = now.interaction.authentication_id == session.authentication_id
    if not stands or now.account is None or now.account.id != session.account_id:
        return None
    # Held before the session, as everybody does: see `visit.visiting`.
    account = accounts.held(session.account_id)
    same = account.epoch == session.epoch and account.active
    return account if same and browser.touch(session) else None
