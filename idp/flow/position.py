"""Where an interaction stands: the rows it stands on, and the step that follows from them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.challenges import issue
from idp.challenges.challenge import Challenge
from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.errors import PageError
from idp.extensions import db, settings, transaction
from idp.flow import agreements
from idp.flow.agreements import Standing, Wish
from idp.flow.interaction import Interaction, Notice
from idp.flow.steps import Choices, Owner, Proofs, Step, next_step
from idp.legacy.registry import RESERVED
from idp.migration.invitations import Invitation
from idp.migration.models import MigrationCase
from idp.security.readable import reference_of


@dataclass(frozen=True)
class Position:
    """One look at an interaction; look again after anything was recorded.

    `account` signs in here; `owner` is whose mailbox answered in a recovery, or who was invited back, if
    nothing changed since; `invitation` was used here, `invited_back` is the one that the recovery follows
    from. `stopped`: the case is disputed. `standing`: what whoever is signed in here has agreed to.
    """

    step: Step
    interaction: Interaction
    client: RegisteredClient
    case: MigrationCase | None
    account: Account | None
    challenge: Challenge | None
    owner: Account | None
    invitation: Invitation | None = None
    invited_back: Invitation | None = None
    stopped: bool = False
    standing: Standing | None = None

    @property
    def notice(self) -> Notice | None:
        """What the page should say first: noted here, or because something was finished elsewhere."""
        if self.interaction.case_id is not None and self.case is None:
            return Notice.CASE_STOPPED if self.stopped else Notice.ALREADY_MIGRATED
        if self.interaction.recovery_account_id is not None and self.owner is None:
            return Notice.RECOVERY_OVER
        return self.interaction.notice

    @property
    def reference(self) -> str:
        """What this is called on the telephone: the case, or else the interaction."""
        return self.case.reference if self.case else reference_of(self.interaction.id)

    @property
    def newcomer(self) -> bool:
        """Whether this is the migration of somebody whom no old system knows: the address is settled."""
        return self.case is not None and self.case.identity.source == RESERVED

    @property
    def proven_phone(self) -> str | None:
        """The number that a new account gets: proven here, and still the choice."""
        chosen = self.case and not self.case.phone_refused_at and self.case.phone
        proven = self.interaction.phone_proven
        return proven if settings.sms_enabled and proven == chosen else None


def locate(interaction: Interaction) -> Position:
    """Load what the interaction stands on and derive its step.

    Raises PageError when the relying party was deleted meanwhile.
    """
    client = _client(interaction)
    case, stopped = _case(interaction)
    account = _account(interaction)
    owner = _owner(interaction)
    challenge = issue.current(interaction.id)
    invitation = _invitation(interaction)
    back = _brings_back(invitation, owner)
    standing = _standing(interaction, client, account)
    proofs = _proofs(interaction, challenge, invited=back is not None)
    epoch = account.epoch if account and account.active else None
    holder, due = _as_owner(owner, back), standing.due if standing else None
    sms = settings.sms_enabled
    return Position(
        step=next_step(proofs, _choices(case), epoch, sms=sms, owner=holder, due=due),
        interaction=interaction,
        client=client,
        case=case,
        account=account,
        challenge=challenge,
        owner=owner,
        invitation=invitation,
        invited_back=back,
        stopped=stopped,
        standing=standing,
    )


class MovedOnError(Exception):
    """Another tab was faster: the interaction no longer stands where the page was made."""


@contextmanager
def acting(position: Position) -> Iterator[Position]:
    """A transaction in which nobody else acts on this interaction; yields how it stands now.

    Raises MovedOnError when that is another step than the one the caller looked at.
    """
    with transaction():
        db.session.refresh(position.interaction, with_for_update=True)
        now = locate(position.interaction)
        if now.step is not position.step:
            raise MovedOnError
        yield now


def _client(interaction: Interaction) -> RegisteredClient:
    row = interaction.client_id
    client = registry.own() if row is None else registry.by_row_id(row)
    if client is None:
        raise PageError("Ce service n’est plus enregistré.", status=410)
    return client.in_language(interaction.locale)


def _standing(
    interaction: Interaction, client: RegisteredClient, account: Account | None
) -> Standing | None:
    """None where nobody is signed in yet, or who is refused; and at our own pages, which give nothing away."""
    signed_in = interaction.authentication_id is not None and interaction.client_id is not None
    if account is None or not signed_in or interaction.refused_at is not None:
        return None
    wish = Wish.of(client, interaction.request)
    answered = interaction.consented_at is not None
    return agreements.standing(wish, account.id, account.terms_version, answered=answered)


def _case(interaction: Interaction) -> tuple[MigrationCase | None, bool]:
    """The case, if its owner can go on; and whether it is disputed."""
    case = db.session.get(MigrationCase, interaction.case_id) if interaction.case_id else None
    if case is None:
        return None, False
    return (case if case.open else None), case.disputed_at is not None


def _account(interaction: Interaction) -> Account | None:
    return accounts.by_id(interaction.account_id) if interaction.account_id else None


def _owner(interaction: Interaction) -> Account | None:
    if interaction.recovery_account_id is None:
        return None
    account = accounts.by_id(interaction.recovery_account_id)
    same = account is not None and account.active and account.epoch == interaction.recovery_epoch
    return account if same else None


def _brings_back(invitation: Invitation | None, owner: Account | None) -> Invitation | None:
    same = invitation is not None and owner is not None and invitation.brings_back(owner)
    return invitation if same else None


def _as_owner(owner: Account | None, back: Invitation | None) -> Owner | None:
    """Whoever was invited back without their phone is not asked for it."""
    if owner is None:
        return None
    return Owner(owner.epoch, None if back and back.without_phone else owner.phone)


def _invitation(interaction: Interaction) -> Invitation | None:
    row = interaction.invitation_id
    return db.session.get(Invitation, row) if row is not None else None


def _proofs(interaction: Interaction, challenge: Challenge | None, *, invited: bool) -> Proofs:
    return Proofs(
        authenticated=interaction.authentication_id is not None,
        password_epoch=interaction.password_epoch,
        legacy_password=interaction.legacy_verified_at is not None,
        legacy_proof=interaction.legacy_proof,
        inviting=interaction.invitation_asked_at is not None,
        email=interaction.email_proven,
        address_confirmed=interaction.address_confirmed_at is not None,
        phone=interaction.phone_proven,
        joining=interaction.joining_at is not None,
        migrated=interaction.migrated_account_id is not None,
        done_left=interaction.done_left_at is not None,
        recovering=interaction.recovery_asked_at is not None,
        recovery_epoch=interaction.recovery_epoch,
        recovery_phone=interaction.recovery_phone,
        recovery_email=interaction.recovery_email,
        invited=invited,
        awaited=challenge.purpose if challenge else None,
        awaited_at=challenge.destination if challenge else None,
    )


def _choices(case: MigrationCase | None) -> Choices | None:
    if case is None:
        return None
    return Choices(
        email=case.email, phone=case.phone, phone_refused=case.phone_refused_at is not None
    )
