"""The step a person stands at, derived from facts: never stored, so it can be neither skipped nor stale."""

import enum
from dataclasses import dataclass

from idp.challenges.challenge import Purpose
from idp.legacy.source import Proof


class Step(enum.StrEnum):
    """Pages, by the name they carry in `data-step`; ANSWER leads back to the relying party."""

    SIGN_IN = "sign-in"
    INVITATION = "invitation"
    LEGACY_CONTACT = "legacy-contact"
    EMAIL = "email"
    EMAIL_CODE = "email-code"
    EMAIL_VERIFIED = "email-verified"
    PHONE = "phone"
    PHONE_CODE = "phone-code"
    PROFILE = "profile"
    JOIN = "join"
    DONE = "done"
    SECOND_FACTOR = "second-factor"
    RECOVERY = "recovery"
    RECOVERY_CODE = "recovery-code"
    RECOVERY_PHONE_CODE = "recovery-phone-code"
    NEW_EMAIL = "new-email"
    NEW_EMAIL_CODE = "new-email-code"
    RECOVERY_PASSWORD = "recovery-password"
    TERMS = "terms"
    CONSENT = "consent"
    ANSWER = "answer"


_ASKED_FOR: dict[Proof | None, Step] = {
    Proof.CONTACT: Step.LEGACY_CONTACT,
    Proof.INVITE: Step.INVITATION,
}
"""What a source wants besides the old password."""


@dataclass(frozen=True)
class Proofs:
    """What this browser has shown in this interaction.

    `legacy_password`: all that the source asks for was shown. Until then `legacy_proof` is what it asks for
    besides the old password. `joining`: the proven address is an account's, and its owner says that it is
    theirs. `inviting`: the page for invitations was opened. `invited`: the recovery
    follows from an invitation.
    """

    authenticated: bool = False
    password_epoch: int | None = None
    legacy_password: bool = False
    legacy_proof: Proof | None = None
    inviting: bool = False
    email: str | None = None
    address_confirmed: bool = False
    phone: str | None = None
    joining: bool = False
    migrated: bool = False
    done_left: bool = False
    recovering: bool = False
    recovery_epoch: int | None = None
    recovery_phone: str | None = None
    recovery_email: str | None = None
    invited: bool = False
    awaited: Purpose | None = None
    awaited_at: str | None = None


@dataclass(frozen=True)
class Choices:
    """What the migration case holds, from whatever device."""

    email: str | None = None
    phone: str | None = None
    phone_refused: bool = False


@dataclass(frozen=True)
class Owner:
    """The account whose mailbox answered in a recovery, as it is now."""

    epoch: int
    phone: str | None = None


def next_step(
    proofs: Proofs,
    choices: Choices | None,
    account_epoch: int | None,
    *,
    sms: bool,
    owner: Owner | None = None,
    due: Step | None = None,
) -> Step:
    """The page that comes next.

    `choices` is None without an open case; `account_epoch` without an active account whose first factor
    was shown; `owner` without an active one whose mailbox answered; `sms` says whether the deployment can
    send any; `due` is what whoever is signed in is asked before the answer (see `agreements`).
    """
    if proofs.authenticated:
        return due or Step.ANSWER
    if proofs.recovering:
        return _recovery_step(proofs, owner, sms=sms)
    if account_epoch is not None and proofs.password_epoch == account_epoch:
        return Step.SECOND_FACTOR
    if proofs.inviting:
        return Step.INVITATION
    if proofs.migrated:
        return Step.SIGN_IN if proofs.done_left else Step.DONE
    return _migration_step(proofs, choices, sms=sms)


def _migration_step(proofs: Proofs, choices: Choices | None, *, sms: bool) -> Step:
    if choices is None:
        return Step.SIGN_IN
    if not proofs.legacy_password:
        return _ASKED_FOR.get(proofs.legacy_proof, Step.SIGN_IN)
    if proofs.joining:
        return Step.JOIN
    return _address_step(proofs, choices) or _phone_step(proofs, choices, sms=sms) or Step.PROFILE


def _recovery_step(proofs: Proofs, owner: Owner | None, *, sms: bool) -> Step:
    """Mailbox, then phone if there is one; what was shown before the account changed counts no more.

    Whoever was invited back proves a new mailbox instead of the one they lost.
    """
    if owner is None or proofs.recovery_epoch != owner.epoch:
        awaited = proofs.awaited is Purpose.RECOVERY_EMAIL
        return Step.RECOVERY_CODE if awaited else Step.RECOVERY
    if proofs.invited and proofs.recovery_email is None:
        awaited = proofs.awaited is Purpose.EMAIL_CHANGE
        return Step.NEW_EMAIL_CODE if awaited else Step.NEW_EMAIL
    if sms and owner.phone is not None and proofs.recovery_phone != owner.phone:
        return Step.RECOVERY_PHONE_CODE
    return Step.RECOVERY_PASSWORD


def _address_step(proofs: Proofs, choices: Choices) -> Step | None:
    if choices.email is None or proofs.email != choices.email:
        return _code_or(Step.EMAIL, Step.EMAIL_CODE, Purpose.EMAIL_ENROLMENT, proofs, choices.email)
    return None if proofs.address_confirmed else Step.EMAIL_VERIFIED


def _phone_step(proofs: Proofs, choices: Choices, *, sms: bool) -> Step | None:
    if choices.phone_refused or not sms:
        return None
    if choices.phone is None or proofs.phone != choices.phone:
        return _code_or(Step.PHONE, Step.PHONE_CODE, Purpose.PHONE_ENROLMENT, proofs, choices.phone)
    return None


def _code_or(ask: Step, code: Step, purpose: Purpose, proofs: Proofs, chosen: str | None) -> Step:
    """The code page while a code for the chosen destination is awaited, otherwise the page that asks."""
    awaited = chosen is not None and (proofs.awaited, proofs.awaited_at) == (purpose, chosen)
    return code if awaited else ask
