"""The steps of a migration: address, phone, new account. Each records facts; none says what comes next."""

import enum
from dataclasses import dataclass

from idp import clock
from idp.accounts import account as accounts
from idp.accounts import password as passwords
from idp.accounts.account import Account
from idp.accounts.addresses import EmailAddress, email_key, mask_email, parse_email
from idp.accounts.password import PasswordProblem
from idp.accounts.phones import PhoneProblem, mask_phone, parse_phone
from idp.accounts.profile import Profile
from idp.audit import events
from idp.challenges import issue
from idp.challenges.challenge import Channel, Purpose
from idp.challenges.results import CodeRefused, CodeVerified, SendRefused, Sent
from idp.extensions import release, settings
from idp.flow import codes, telling
from idp.flow.interaction import Interaction, Notice, forget_holder, forget_proofs
from idp.flow.position import Position, acting
from idp.legacy.source import Proof
from idp.migration import cases, completion
from idp.migration.completion import Lost, NewAccount
from idp.migration.invitations import InvitationKind
from idp.migration.models import MigrationCase


class InputProblem(enum.Enum):
    """Typed text that is no address; or not the one that support invited."""

    INVALID_EMAIL = "invalid-email"
    NOT_INVITED = "not-invited"


class CodeAccepted(enum.Enum):
    """The code was right. TAKEN: the mailbox is proven, but its address belongs to an account."""

    PROVEN = "proven"
    TAKEN = "taken"


@dataclass(frozen=True)
class Completed:
    """The account exists; its address is the identifier from now on."""

    email: str


@dataclass(frozen=True)
class PasswordRefused:
    """All that is wrong with the new password."""

    problems: tuple[PasswordProblem, ...]


@dataclass(frozen=True)
class CompletionLost:
    """Somebody was first; the next page says so."""

    reason: Lost


def give_email(position: Position, text: str, network: str) -> Sent | SendRefused | InputProblem:
    """Choose the new identifier and send a code to it, whoever it may belong to."""
    address = parse_email(text)
    if address is None:
        return InputProblem.INVALID_EMAIL
    template = codes.address_template(address.address)
    invited = _invited_address(position)
    if invited is not None and email_key(invited) != address.key:
        return InputProblem.NOT_INVITED
    with acting(position) as now:
        outcome = codes.send_enrolment(
            now, Channel.EMAIL, address.address, template=template, network=network
        )
        if isinstance(outcome, Sent):
            cases.choose_email(_case(now), address)
            _forget_address(now.interaction)
            telling.begun(now, address.address)
        return outcome


def change_email(position: Position) -> None:
    """Go back to the address, which stays filled in."""
    with acting(position) as now:
        issue.close_current(now.interaction.id)
        _forget_address(now.interaction)


def verify_email(position: Position, code: str) -> CodeAccepted | CodeRefused:
    """Check the code from the mailbox; only now is a taken address told."""

    def record(now: Position, proof: CodeVerified) -> CodeAccepted:
        masked = mask_email(proof.destination)
        events.contact_proven(channel="email", masked=masked, reference=_case(now).reference)
        holder = accounts.by_email_key(email_key(proof.destination))
        if holder is not None:
            _note_taken(now, holder)
            return CodeAccepted.TAKEN
        now.interaction.email_proven = proof.destination
        cases.mailbox_proven(_case(now), proof.destination, now.interaction.locale)
        return CodeAccepted.PROVEN

    return codes.check(position, Purpose.EMAIL_ENROLMENT, code, record)


def confirm_address(position: Position) -> None:
    """«Continuer»: the person has read which identifier is theirs now."""
    with acting(position) as now:
        now.interaction.address_confirmed_at = clock.now()
        cases.confirmed(_case(now))


def give_phone(position: Position, text: str, network: str) -> Sent | SendRefused | PhoneProblem:
    """Choose the number for codes by SMS and send one to it."""
    number = parse_phone(text, region=settings.phone_region, countries=settings.sms_countries)
    if isinstance(number, PhoneProblem):
        return number
    with acting(position) as now:
        outcome = codes.send_enrolment(
            now, Channel.SMS, number, template=Purpose.PHONE_ENROLMENT, network=network
        )
        if isinstance(outcome, Sent):
            cases.choose_phone(_case(now), number)
            _forget_phone(now.interaction)
        return outcome


def refuse_phone(position: Position) -> None:
    """«Je ne souhaite pas donner mon numéro de téléphone»."""
    with acting(position) as now:
        issue.close_current(now.interaction.id)
        cases.refuse_phone(_case(now))
        _forget_phone(now.interaction)


def change_phone(position: Position) -> None:
    """Go back to the number, which stays filled in; a refusal is taken back."""
    with acting(position) as now:
        issue.close_current(now.interaction.id)
        cases.reconsider_phone(_case(now))
        _forget_phone(now.interaction)


def verify_phone(position: Position, code: str) -> CodeAccepted | CodeRefused:
    """Check the code from the phone. One phone may serve several people."""

    def record(now: Position, proof: CodeVerified) -> CodeAccepted:
        masked = mask_phone(proof.destination)
        events.contact_proven(channel="sms", masked=masked, reference=_case(now).reference)
        now.interaction.phone_proven = proof.destination
        cases.phone_proven(_case(now))
        now.interaction.notice = None
        return CodeAccepted.PROVEN

    return codes.check(position, Purpose.PHONE_ENROLMENT, code, record)


def complete(
    position: Position, password: str, confirmation: str
) -> Completed | PasswordRefused | CompletionLost:
    """Choose the new password and write the account: hashes first, then one short transaction."""
    personal = _personal(_case(position), position.interaction)
    legacy_hash = position.interaction.legacy_password_hash
    release()
    problems = passwords.new_password_problems(
        password, confirmation, personal=personal, legacy_hash=legacy_hash
    )
    if problems:
        return PasswordRefused(problems)
    password_hash = passwords.hash_password(password)
    with acting(position) as now:
        return _write(now, password_hash)


def leave_done(position: Position) -> None:
    """«Se connecter à …»: on to sign-in, with the new identifier filled in."""
    with acting(position) as now:
        now.interaction.done_left_at = clock.now()


def _write(now: Position, password_hash: str) -> Completed | CompletionLost:
    interaction = now.interaction
    assert interaction.email_proven is not None, "the step before proves the mailbox"
    address = EmailAddress(interaction.email_proven, email_key(interaction.email_proven))
    new = NewAccount(address, now.proven_phone, password_hash, interaction.locale)
    case, by_password = _case(now), interaction.legacy_proof is Proof.PASSWORD
    old = telling.old_contact(case)
    written = completion.complete(case, new)
    if isinstance(written, Lost):
        _lost(now, written)
        return CompletionLost(written)
    telling.done(written, case, old, by_password=by_password)
    forget_proofs(interaction)
    interaction.migrated_account_id = written.id
    interaction.identifier = written.email
    return Completed(written.email)


def _invited_address(position: Position) -> str | None:
    """The one address that a newcomer's account can have."""
    invitation = position.invitation
    newcomer = invitation is not None and invitation.kind is InvitationKind.NEWCOMER
    return invitation.email if invitation and newcomer else None


def _lost(now: Position, reason: Lost) -> None:
    interaction = now.interaction
    if reason is Lost.ADDRESS_TAKEN:
        holder = accounts.by_email_key(email_key(interaction.email_proven or ""))
        _forget_address(interaction)
        _note_taken(now, holder)
    else:
        forget_proofs(interaction)
        interaction.notice = Notice.ALREADY_MIGRATED


def _note_taken(now: Position, holder: Account | None) -> None:
    """The proven address is an account's: the page says so."""
    cases.met_conflict(_case(now))
    now.interaction.holder_id = holder.id if holder else None
    now.interaction.notice = Notice.EMAIL_TAKEN


def _forget_address(interaction: Interaction) -> None:
    forget_holder(interaction)
    interaction.email_proven = None
    interaction.address_confirmed_at = None
    interaction.notice = None


def _forget_phone(interaction: Interaction) -> None:
    interaction.phone_proven = None
    interaction.notice = None


def _personal(case: MigrationCase, interaction: Interaction) -> tuple[str, ...]:
    email = interaction.email_proven or ""
    profile = Profile.from_json(case.profile)
    return passwords.personal_words(profile, email, interaction.identifier)


def _case(position: Position) -> MigrationCase:
    assert position.case is not None, "these steps stand on a case"
    return position.case
