"""What became of a message after a gateway took it."""

from flask import Flask
from sqlalchemy import update

from idp.delivery.models import OutboxMessage, OutboxStatus
from idp.extensions import affected, db, transaction


def note(app: Flask, route: str, reference: str, state: str) -> bool:
    """Keep a delivery receipt with its message; False while no message of that name is on record."""
    with app.app_context():
        try:
            with transaction():
                found = affected(
                    update(OutboxMessage)
                    .where(OutboxMessage.route == route, OutboxMessage.reference == reference)
                    .where(OutboxMessage.status == OutboxStatus.SENT)
                    .values(receipt=state)
                )
        finally:
            db.session.remove()
    return bool(found)
