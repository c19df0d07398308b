"""The step a person stands at, derived from facts: never stored, so it can be neither skipped nor stale."""

import enum
from dataclasses import dataclass

from idp.challenges.challenge import Purpose


class Step(enum.StrEnum):
    """Pages, by the name they carry in `data-step`; ANSWER leads back to the relying party."""

    SIGN_IN = "sign-in"
    EMAIL = "email"
    EMAIL_CODE = "email-code"
    EMAIL_VERIFIED = "email-verified"
    PHONE = "phone"
    PHONE_CODE = "phone-code"
    PROFILE = "profile"
    DONE = "done"
    SECOND_FACTOR = "second-factor"
    RECOVERY = "recovery"
    RECOVERY_CODE = "recovery-code"
    RECOVERY_PHONE_CODE = "recovery-phone-code"
    RECOVERY_PASSWORD = "recovery-password"
    ANSWER = "answer"


@dataclass(frozen=True)
class Proofs:
    """What this browser has shown in this interaction."""

    authenticated: bool = False
    password_epoch: int | None = None
    legacy_password: bool = False
    email: str | None = None
    address_confirmed: bool = False
    phone: str | None = None
    migrated: bool = False
    done_left: bool = False
    recovering: bool = False
    recovery_epoch: int | None = None
    recovery_phone: str | None = None
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
) -> Step:
    """The page that comes next.

    `choices` is None without an open case; `account_epoch` without an active account whose first factor
    was shown; `owner` without an active one whose mailbox answered; `sms` says whether the deployment can
    send any.
    """
    if proofs.authenticated:
        return Step.ANSWER
    if proofs.recovering:
        return _recovery_step(proofs, owner, sms=sms)
    if account_epoch is not None and proofs.password_epoch == account_epoch:
        return Step.SECOND_FACTOR
    if proofs.migrated:
        return Step.SIGN_IN if proofs.done_left else Step.DONE
    if choices is None or not proofs.legacy_password:
        return Step.SIGN_IN
    return _address_step(proofs, choices) or _phone_step(proofs, choices, sms=sms) or Step.PROFILE


def _recovery_step(proofs: Proofs, owner: Owner | None, *, sms: bool) -> Step:
    """Mailbox, then phone if there is one; what was shown before the account changed counts no more."""
    if owner is None or proofs.recovery_epoch != owner.epoch:
        awaited = proofs.awaited is Purpose.RECOVERY_EMAIL
        return Step.RECOVERY_CODE if awaited else Step.RECOVERY
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
