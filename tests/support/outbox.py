"""Messages on their way."""

from datetime import timedelta

from sqlalchemy import select

from idp import clock
from idp.delivery import outbox
from idp.delivery.models import OutboxMessage
from idp.extensions import db, transaction
from tests.support.messages import code_message


def leave(
    to: str = "someone@example.ch",
    life: timedelta = timedelta(minutes=10),
    channel: str = "email",
    topic: str | None = None,
) -> None:
    """A code, good for so long."""
    with transaction():
        outbox.enqueue(
            code_message(to, channel),
            expires_at=clock.now() + life,
            masked="s•••@e•••.ch",
            topic=topic,
        )


def rows() -> list[OutboxMessage]:
    """All as they stand now, oldest first."""
    db.session.expire_all()
    return list(db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def seen() -> list[OutboxMessage]:
    """Rows as others have left them by now, in a transaction of its own."""
    db.session.rollback()
    return rows()
