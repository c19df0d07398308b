"""Telling the owner of an account what happened to it, with a way to say «this was not me».

The link's token is stored as a digest. Looking at it changes nothing; confirming freezes the account.
"""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.accounts import account as accounts
from idp.accounts import changes
from idp.accounts.account import Account
from idp.accounts.addresses import mask_email
from idp.accounts.phones import mask_phone
from idp.audit import events
from idp.delivery import outbox
from idp.delivery.messages import Message
from idp.extensions import Base, RowId, affected, db, settings
from idp.security import tokens


class AlertKind(enum.StrEnum):
    """What happened; each has its texts, `templates/messages/<locale>/alert-<kind>.*`."""

    NEW_BROWSER = "new-browser"
    PASSWORD_CHANGED = "password-changed"
    EMAIL_CHANGED = "email-changed"
    PHONE_CHANGED = "phone-changed"
    RECOVERED = "recovered"
    FROZEN = "frozen"
    UNFROZEN = "unfrozen"


class Alert(Base):
    """One notice with its link, good until `expires_at`, for one use."""

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
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
) -> None:
    """Leave the notice for the account's address (or `emails`, such as old and new), and its number if asked
    (or `number`, such as the old one).

    Runs in the caller's transaction.
    """
    number = number or (account.phone if by_sms else None)
    token = tokens.new_token()
    expires_at = clock.now() + settings.alert_lifetime
    alert = Alert(
        digest=tokens.digest(token), account_id=account.id, kind=kind, expires_at=expires_at
    )
    db.session.add(alert)
    words = {"service": settings.mail_from_name, "link": f"{settings.issuer}/alert/{token}"}
    template = f"alert-{kind}"
    for address in emails or (account.email,):
        mail = Message("email", address, template, account.locale, words)
        outbox.enqueue(mail, expires_at=expires_at, masked=mask_email(address))
    if number and settings.sms_enabled:
        sms = Message("sms", number, template, account.locale, words)
        outbox.enqueue(sms, expires_at=expires_at, masked=mask_phone(number))


def find(token: str) -> Alert | None:
    """The alert of a link, while it can still be used."""
    return db.session.scalar(
        select(Alert).where(
            Alert.digest == tokens.digest(token),
            Alert.used_at.is_(None),
            Alert.expires_at > clock.now(),
        )
    )


def confirm(alert: Alert) -> bool:
    """«This was not me»: freeze the account, once. Runs in the caller's transaction.

    False when the link was used meanwhile. The account is held first: whoever changes it at the same moment
    cannot use the link up.
    """
    account = accounts.held(alert.account_id)
    used = affected(
        update(Alert)
        .where(Alert.id == alert.id, Alert.used_at.is_(None))
        .values(used_at=clock.now())
    )
    if not used or not changes.freeze(account.id, account.epoch):
        return False
    events.frozen(sub=account.sub, why=f"alert {alert.kind}")
    tell(account, AlertKind.FROZEN, by_sms=True)
    return True


def purge(limit: int) -> int:
    """Delete up to `limit` alerts whose links no longer work; how many went."""
    old = select(Alert.id).where(Alert.expires_at < clock.now()).limit(limit)
    return affected(delete(Alert).where(Alert.id.in_(old)))
