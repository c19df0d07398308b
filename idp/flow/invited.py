"""«J’ai un code d’invitation»: support's word instead of an old password, or instead of a lost mailbox.

It signs nobody in. A code opens what it was issued for and nothing else; whatever is wrong with one, the
answer is the same.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from idp import clock
from idp.audit import events
from idp.audit import invitations as told
from idp.flow import tries
from idp.flow.interaction import (
    Interaction,
    forget_proofs,
    forget_recovery,
    forget_sign_in,
    restart,
)
from idp.flow.position import Position, acting
from idp.legacy.source import Proof
from idp.migration import cases, invitations
from idp.migration.cases import Known
from idp.migration.invitations import Invitation, InvitationKind


@dataclass(frozen=True)
class Opened:
    """The code was good; what it is for follows."""


@dataclass(frozen=True)
class InvitationRefused:
    """Unknown, used, expired, replaced, or for somebody else; or (`wait`) there were too many tries."""

    wait: timedelta | None = None


def begin(position: Position) -> str:
    """The link on the sign-in page: whatever was shown in this interaction is dropped.

    The interaction's id: after a migration it is the migrated account's alone, and a fresh one begins.
    """
    with acting(position) as now:
        migrated = now.interaction.migrated_account_id is not None
        interaction = restart(now.interaction) if migrated else now.interaction
        _forget(interaction)
        interaction.invitation_asked_at = clock.now()
        return interaction.id


def enter(position: Position, text: str, network: str) -> Opened | InvitationRefused:
    """Check a typed code: the try is reserved and committed first."""
    counted = tries.at_invitation(network)
    with acting(position):
        wait = counted.reserve()
    if wait:
        return InvitationRefused(wait)
    with acting(position) as now:
        invitation = invitations.find(text)
        if invitation is None or not _for_this(now, invitation):
            _note_refusal(now)
            return InvitationRefused()
        if not _open(now, invitation):
            return InvitationRefused()
        tries.give_back(counted)
        return Opened()


def _for_this(now: Position, invitation: Invitation) -> bool:
    """After an old password that needs one, only an invitation for the same identity goes on."""
    return now.case is None or now.case.identity_id == invitation.identity_id


def _open(now: Position, invitation: Invitation) -> bool:
    """Use the invitation up, and note what it proves; False when somebody was first."""
    said = dict(invitation.profile)
    if not invitations.use(invitation):
        return False
    told.invitation_used(
        kind=invitation.kind,
        sub=invitation.account.sub if invitation.account else None,
        about=invitation.about,
        client_id=now.client.client_id,
    )
    if invitation.kind is InvitationKind.RECOVERY:
        return _bring_back(now.interaction, invitation)
    return _open_case(now.interaction, invitation, said)


def _open_case(interaction: Interaction, invitation: Invitation, said: dict[str, Any]) -> bool:
    identity = invitation.identity
    assert identity is not None, "migrations and newcomers have one"
    case = cases.open_or_resume(Known.again(identity.source, identity.key, said))
    if case is None or not case.open:
        return False
    if invitation.kind is InvitationKind.NEWCOMER:
        case.email = invitation.email
    old_password = interaction.legacy_password_hash
    _forget(interaction)
    interaction.case_id = case.id
    interaction.legacy_password_hash = old_password
    interaction.legacy_verified_at = clock.now()
    interaction.legacy_proof = Proof.INVITE
    interaction.invitation_id = invitation.id
    return True


def _bring_back(interaction: Interaction, invitation: Invitation) -> bool:
    _forget(interaction)
    interaction.recovery_asked_at = clock.now()
    interaction.recovery_account_id = invitation.account_id
    interaction.recovery_epoch = invitation.epoch
    interaction.invitation_id = invitation.id
    return True


def _forget(interaction: Interaction) -> None:
    forget_sign_in(interaction)
    forget_proofs(interaction)
    forget_recovery(interaction)


def _note_refusal(now: Position) -> None:
    if events.due(f"invitation:{now.interaction.id}"):
        told.invitation_refused(client_id=now.client.client_id, reference=now.reference)
