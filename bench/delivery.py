"""How long a code takes from the commit to the mail server, over real HTTP and SMTP, on an idle node.

python -m bench.delivery [samples]
"""

import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from idp.app import create_app
from idp.delivery.models import OutboxMessage
from idp.extensions import db
from idp.keys import kek
from tests.support import database, portal
from tests.support.accounts import make_account
from tests.support.faults import eventually
from tests.support.inbox import Inbox
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.server import serving
from tests.support.settings import make_settings
from tests.support.surfer import Surfer


@dataclass(frozen=True)
class Delays:
    """Milliseconds from the commit of each code to its mail, at the mail server."""

    milliseconds: list[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.milliseconds)


def measure(samples: int) -> Delays:
    """Sign in so many people, one after the other, at a provider of one process with its own worker."""
    inbox = Inbox()
    with tempfile.TemporaryDirectory() as folder:
        try:
            return Delays(_sign_in(inbox, Path(folder), samples))
        finally:
            inbox.stop()


def _sign_in(inbox: Inbox, folder: Path, samples: int) -> list[float]:
    kek.create(folder / "kek.json")
    url = f"sqlite:///{folder}/seuil.db"
    settings = make_settings(url, folder, smtp_port=inbox.smtp_port, log_level="WARNING")
    app = create_app(settings)
    addresses = [f"p{number}@example.ch" for number in range(samples)]
    with app.app_context():
        database.prepare()
        for address in addresses:
            make_account(address)
        begin = Person(app, inbox, portal.register()).authorize_path()
        with serving(settings, workers=1, worker="inline") as provider:
            for address in addresses:
                surfer = Surfer("").get(provider + begin)
                surfer.press("Se connecter", identifier=address, password=NEW_PASSWORD)
                eventually(lambda to=address: [one for one in inbox.messages if one.to == to])
        left = dict(db.session.execute(select(OutboxMessage.id, OutboxMessage.created_at)).all())
        db.session.remove()
        db.engine.dispose()
    arrived = [one.at for one in inbox.messages]
    return [
        (at - row.timestamp()) * 1000
        for at, (_id, row) in zip(arrived, sorted(left.items()), strict=True)
    ]


if __name__ == "__main__":
    delays = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    print(
        f"{len(delays.milliseconds)} codes, commit to mail server: "
        f"median {delays.median:.0f} ms, "
        f"fastest {min(delays.milliseconds):.0f}, slowest {max(delays.milliseconds):.0f}"
    )
