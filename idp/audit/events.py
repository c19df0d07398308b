"""Security events, one typed function each. Each inserts a row in the caller's transaction.

`sub` is the account's subject; `client_id` the relying party's public name; `actor` who did it, when that
was not whoever sits at the browser. Details are constants, references and masked contacts.
"""

from collections.abc import Mapping
from datetime import timedelta

from idp.audit.writing import USER
from idp.audit.writing import record as _record
from idp.security import throttle

WORKER = "worker"
"""What nobody asked for: the worker's periodic jobs."""
SYSTEM = "system"
"""What a rule of the deployment does, whoever happens to sit at the browser."""
STRANGER = "stranger"
"""Whoever holds the registration access token of a client, or needed none."""
_PAUSE = timedelta(minutes=1)


def due(what: str) -> bool:
    """Of what costs a stranger nothing, or goes round in circles, one in a while is written for each thing.

    Runs inside the caller's transaction.
    """
    return throttle.once(f"audit:{what}", _PAUSE)


# -- Signing in ---------------------------------------------------------------------------------------


def signed_in(*, sub: str, client_id: str, channel: str, new_browser: bool) -> None:
    """Both factors passed; `new_browser`: for the first time in this browser."""
    _record("signed_in", account=sub, client=client_id, channel=channel, new_browser=new_browser)


def sign_in_failed(*, reason: str, client_id: str, reference: str, why: str = "") -> None:
    """A password was refused: `reason`, a constant, is what the page says, `why` what was behind it, for
    operators only. `reference` is on the page too."""
    more = {"why": why} if why else {}
    _record("sign_in_failed", client=client_id, reason=reason, reference=reference, **more)


def code_refused(
    *, purpose: str, reason: str, sub: str | None, client_id: str, reference: str
) -> None:
    """A one-time code was wrong, or came after too many wrong ones."""
    _record(
        "code_refused",
        account=sub,
        client=client_id,
        purpose=purpose,
        reason=reason,
        reference=reference,
    )


def session_ended(*, sub: str, why: str = "signed-out") -> None:
    """Somebody signed out, or another sign-in took the browser's session over."""
    _record("session_ended", account=sub, why=why)


# -- Accounts -----------------------------------------------------------------------------------------


def recovery_asked(*, sub: str | None, client_id: str) -> None:
    """Somebody says that they forgot the password; `sub` is None when the address is nobody's."""
    _record("recovery_asked", account=sub, client=client_id)


def recovered(*, sub: str, client_id: str, by_sms: bool) -> None:
    """A new password was chosen after the mailbox answered, and the phone if there was one."""
    _record("recovered", account=sub, client=client_id, by_sms=by_sms)


def password_changed(*, sub: str) -> None:
    """The person chose another password, on the pages of the account."""
    _record("password_changed", account=sub)


def email_changed(*, sub: str, old: str, new: str) -> None:
    """The identifier is another one; both masked."""
    _record("email_changed", account=sub, old=old, new=new)


def phone_changed(*, sub: str, old: str, new: str) -> None:
    """Codes go to another number, or to none (empty); both masked."""
    _record("phone_changed", account=sub, old=old, new=new)


def sessions_ended(*, sub: str, why: str, actor: str = USER) -> None:
    """Every session, code and token of the account ended."""
    _record("sessions_ended", account=sub, actor=actor, why=why)


def frozen(*, sub: str, why: str, actor: str = USER) -> None:
    """Nobody is let in until an administrator says otherwise."""
    _record("frozen", account=sub, actor=actor, why=why)


def unfrozen(*, sub: str, why: str, actor: str) -> None:
    """An administrator lets the person in again."""
    _record("unfrozen", account=sub, actor=actor, why=why)


# -- Migrating ----------------------------------------------------------------------------------------


def case_opened(*, source: str, reference: str, resumed: bool) -> None:
    """An old password was right: its owner begins or goes on to migrate."""
    _record("case_opened", source=source, reference=reference, resumed=resumed)


def contact_proven(*, channel: str, masked: str, reference: str) -> None:
    """The code sent to an address or number of a case came back."""
    _record("contact_proven", channel=channel, masked=masked, reference=reference)


def reminders_written(*, count: int, actor: str) -> None:
    """So many people who had stopped half-way were written to."""
    _record("reminders_written", actor=actor, count=count)


def reminders_stopped() -> None:
    """The link of a reminder was used: its address gets no more of them."""
    _record("reminders_stopped")


def campaign_paused(*, source: str, why: str, actor: str) -> None:
    """Old identifiers are refused for a while, of one source or of `all`."""
    _record("campaign_paused", actor=actor, source=source, why=why)


def campaign_resumed(*, source: str, why: str, actor: str) -> None:
    """Old identifiers are accepted again."""
    _record("campaign_resumed", actor=actor, source=source, why=why)


def migrated(*, sub: str, source: str, reference: str) -> None:
    """A legacy identity became an account's."""
    _record("migrated", account=sub, source=source, reference=reference)


def rows_loaded(*, source: str, counts: Mapping[str, int], finished: bool, actor: str) -> None:
    """Rows of an old system were loaded ahead: what became of them so far, in numbers."""
    told = " ".join(f"{name}={count}" for name, count in counts.items())
    _record("rows_loaded", actor=actor, source=source, counts=told, finished=finished)


def rows_removed(*, source: str, count: int, why: str, actor: str) -> None:
    """Loaded rows were deleted: `why` is a constant."""
    _record("rows_removed", actor=actor, source=source, count=count, why=why)


# -- Relying parties ----------------------------------------------------------------------------------


def consent_given(*, sub: str, client_id: str, scopes: list[str]) -> None:
    """The person agreed that an application learns what these scopes cover."""
    _record("consent_given", account=sub, client=client_id, scopes=" ".join(scopes))


def consent_refused(*, sub: str, client_id: str, what: str) -> None:
    """The person refused, on the page `what`; the application got nothing."""
    _record("consent_refused", account=sub, client=client_id, what=what)


def access_withdrawn(*, sub: str, client_id: str) -> None:
    """The person took back all that an application had."""
    _record("access_withdrawn", account=sub, client=client_id)


def terms_accepted(*, sub: str, version: str) -> None:
    """The person accepted this version of the terms."""
    _record("terms_accepted", account=sub, version=version)


def code_issued(*, client_id: str, sub: str) -> None:
    """A relying party got an authorization code for a living session; further ones at once are not told."""
    _record("code_issued", account=sub, client=client_id)


def code_reused(*, client_id: str, sub: str) -> None:
    """An authorization code came twice; all that descends from it is dead."""
    _record("code_reused", account=sub, client=client_id)


def refresh_token_reused(*, client_id: str, sub: str) -> None:
    """A rotated refresh token came again; its family is dead."""
    _record("refresh_token_reused", account=sub, client=client_id)


def token_revoked(*, client_id: str, sub: str | None, kind: str) -> None:
    """A relying party gave a token up (RFC 7009); with a refresh token all that came with it."""
    _record("token_revoked", account=sub, client=client_id, kind=kind)


def client_refused(*, client_id: str) -> None:
    """A registered client came with a wrong secret."""
    _record("client_refused", client=client_id)


def request_refused(*, client_id: str, where: str, error: str, why: str) -> None:
    """A request in a relying party's name was refused at an endpoint; `why` is what the answer said, or
    would have said to nobody but the operator."""
    _record("request_refused", client=client_id, where=where, error=error, why=why)


def client_created(*, client_id: str, actor: str) -> None:
    """A relying party was registered; by itself, when the actor is STRANGER or a registration token."""
    _record("client_created", client=client_id, actor=actor)


def client_updated(*, client_id: str, fields: list[str], actor: str) -> None:
    """A registration was changed; `fields` are the names of what was."""
    _record("client_updated", client=client_id, actor=actor, fields=" ".join(sorted(fields)))


def client_deleted(*, client_id: str, actor: str) -> None:
    """A registration was deleted, with all its codes and tokens."""
    _record("client_deleted", client=client_id, actor=actor)


def registration_token_issued(
    *, number: int, note: str, uses: int, require_pkce: bool, actor: str
) -> None:
    """Whoever holds the token may register so many applications; `note` says what it was made for."""
    _record(
        "registration_token_issued",
        actor=actor,
        number=number,
        note=note,
        uses=uses,
        require_pkce=require_pkce,
    )


def registration_token_ended(*, number: int, actor: str) -> None:
    """Nothing can be registered with a token any more."""
    _record("registration_token_ended", actor=actor, number=number)


def client_secret_rotated(*, client_id: str, overlap_hours: int, actor: str) -> None:
    """A client got another secret; the former one works for some more hours."""
    _record("client_secret_rotated", client=client_id, actor=actor, overlap_hours=overlap_hours)


# -- Messages, data -----------------------------------------------------------------------------------


def sms_stopped(*, prefix: str, sent: int, used: int) -> None:
    """Too few codes to a country (`prefix` is its calling code) came back: no SMS goes there any more."""
    _record("sms_stopped", actor=SYSTEM, prefix=prefix, sent=sent, used=used)


def sms_allowed(*, prefix: str, actor: str) -> None:
    """SMS goes to a country again."""
    _record("sms_allowed", actor=actor, prefix=prefix)


def password_list_silent() -> None:
    """The list of leaked passwords gave no answer, and a new password was taken without it."""
    _record("password_list_silent", actor=SYSTEM)


def message_undeliverable(*, channel: str, recipient: str, outcome: str, why: str) -> None:
    """A message was given up: refused for good, or not taken in time. `recipient` is masked."""
    told = {"channel": channel, "masked": recipient, "outcome": outcome, "why": why}
    _record("message_undeliverable", actor=WORKER, **told)


def messages_retried(*, count: int, actor: str) -> None:
    """An administrator let messages that were given up wait again."""
    _record("messages_retried", actor=actor, count=count)


def purged(*, counts: Mapping[str, int], actor: str) -> None:
    """What was over was deleted: table to rows, where any went."""
    gone = " ".join(f"{name}={count}" for name, count in counts.items() if count)
    _record("purged", actor=actor, gone=gone)


def audit_restarted(*, after: int, first_fault: str, why: str, actor: str) -> None:
    """A new chain begins: what was sealed up to the place `after` cannot be verified any more."""
    _record("audit_restarted", actor=actor, after=after, first_fault=first_fault, why=why)


def looked_at(
    *, what: str, sought: Mapping[str, str], found: int, actor: str, sub: str | None = None
) -> None:
    """A clerk read personal data: with which command, what was looked for (masked), how many rows it gave."""
    filters = " ".join(f"{name}={value}" for name, value in sought.items())
    _record("looked_at", actor=actor, account=sub, what=what, sought=filters, found=found)
