"""Telling the owner of an account what happened to it, with a way to say «this was not me».

The link's token is stored as a digest. Looking at it changes nothing; confirming freezes the account, and
stops a migration that is under way.
"""

import enum
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.accounts import account as accounts
from idp.accounts import changes
from idp.accounts.account import Account
from idp.accounts.addresses import mask_email
from idp.accounts.phones import mask_phone
from idp.audit import events
from idp.challenges.challenge import Channel
from idp.delivery import outbox
from idp.delivery.messages import Message
from idp.extensions import Base, RowId, affected, db, settings
from idp.flow.on_record import Contact
from idp.legacy import identity as identities
from idp.migration import cases
from idp.migration.models import MigrationCase
from idp.security import tokens


class AlertKind(enum.StrEnum):
    """What happened; each has its texts, `templates/messages/<locale>/alert-<kind>.*`."""

    MIGRATING = "migrating"
    MIGRATED = "migrated"
    JOINED = "joined"
    NEW_BROWSER = "new-browser"
    PASSWORD_CHANGED = "password-changed"
    EMAIL_CHANGED = "email-changed"
    PHONE_CHANGED = "phone-changed"
    RECOVERED = "recovered"
    BROUGHT_BACK = "brought-back"
    INVITED_BACK = "invited-back"
    FROZEN = "frozen"
    UNFROZEN = "unfrozen"


class Confirmed(enum.Enum):
    """What came of «this was not me»: the account is blocked, or a migration without one yet is stopped."""

    BLOCKED = "blocked"
    STOPPED = "stopped"


class Alert(Base):
    """One notice with its link, good until `expires_at`, for one use: about an account, a case, or both."""

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(
        ForeignKey("migration_case.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[AlertKind]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


def tell(
    account: Account,
    kind: AlertKind,
    *,
    emails: tuple[str, ...] = (),
    by_sms: bool = False,
    number: str | None = None,
    case: MigrationCase | None = None,
) -> None:
    """Leave the notice for the account's address (or `emails`, such as old and new), and its number if asked
    (or `number`, such as the old one). `case` is what its link disputes, besides blocking the account.

    Runs in the caller's transaction.
    """
    alert = Alert(account_id=account.id, case_id=case.id if case else None, kind=kind)
    number = number or (account.phone if by_sms else None)
    to = [Contact(Channel.EMAIL, address) for address in emails or (account.email,)]
    to += [Contact(Channel.SMS, number)] if number and settings.sms_enabled else []
    _leave(alert, to, account.locale)


def tell_of_case(case: MigrationCase, contact: Contact, locale: str, *, chosen: str) -> None:
    """Leave a notice for the contact that the old system knows: somebody is migrating, to the address
    `chosen` (masked). Runs in the caller's transaction."""
    alert = Alert(case_id=case.id, kind=AlertKind.MIGRATING)
    _leave(alert, [contact], locale, chosen=chosen)


def _leave(alert: Alert, to: list[Contact], locale: str, **more: str) -> None:
    token = tokens.new_token()
    alert.digest, alert.expires_at = tokens.digest(token), clock.now() + settings.alert_lifetime
    db.session.add(alert)
    link = f"{settings.issuer}/alert/{token}"
    words = {"service": settings.mail_from_name, "link": link, **more}
    for contact in to:
        by_sms = contact.channel is Channel.SMS
        message = Message(
            "sms" if by_sms else "email", contact.destination, f"alert-{alert.kind}", locale, words
        )
        masked = (mask_phone if by_sms else mask_email)(contact.destination)
        outbox.enqueue(message, expires_at=alert.expires_at, masked=masked)


def find(token: str) -> Alert | None:
    """The alert of a link, while it can still be used."""
    return db.session.scalar(
        select(Alert).where(
            Alert.digest == tokens.digest(token),
            Alert.used_at.is_(None),
            Alert.expires_at > clock.now(),
        )
    )


def confirm(alert: Alert) -> Confirmed | None:
    """«This was not me»: freeze the account and dispute the case, once. Runs in the caller's transaction.

    None when the link was used, or the account changed, meanwhile. Case and account are held first: whoever
    finishes or changes one at the same moment cannot use the link up. The links of all other notices are used
    up too: who has read some of them cannot block the account again and again after it was unfrozen.
    """
    case = cases.held(alert.case_id) if alert.case_id is not None else None
    whose = alert.account_id or (identities.claimed_by(case.identity_id) if case else None)
    account = accounts.held(whose) if whose is not None else None
    if not _use_up(Alert.id == alert.id):
        return None
    if case is not None:
        use_up_case(case.id)
        cases.dispute(case.id)
    if account is None:
        return Confirmed.STOPPED
    return Confirmed.BLOCKED if _freeze(account, alert.kind) else None


def _freeze(account: Account, kind: AlertKind) -> bool:
    if not changes.freeze(account.id, account.epoch):
        return False
    use_up(account)
    events.frozen(sub=account.sub, why=f"alert {kind}")
    tell(account, AlertKind.FROZEN, by_sms=True)
    return True


def use_up(account: Account) -> None:
    """The links of all notices so far have done what they were for. Runs in the caller's transaction."""
    _use_up(Alert.account_id == account.id)


def use_up_case(case_id: int) -> None:
    """The same, of the notices about a case."""
    _use_up(Alert.case_id == case_id)


def _use_up(which: ColumnElement[bool]) -> int:
    unused = update(Alert).where(which, Alert.used_at.is_(None))
    return affected(unused.values(used_at=clock.now()))


def purge(limit: int) -> int:
    """Delete up to `limit` alerts whose links no longer work; how many went."""
    old = select(Alert.id).where(Alert.expires_at < clock.now()).limit(limit)
    return affected(delete(Alert).where(Alert.id.in_(old)))
