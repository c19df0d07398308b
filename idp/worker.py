"""The loops that deliver messages, one for each channel, and the one that tidies up and rotates keys."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog
from flask import Flask

from idp import housekeeping
from idp.delivery import outbox, routes
from idp.extensions import db, settings
from idp.flow import codes
from idp.security import tokens

_log = structlog.get_logger("seuil.worker")

_UNDELIVERED: outbox.Undelivered = {"challenge": codes.undelivered}
"""Who answers for a message that is given up, by the kind of its topic."""


@dataclass
class _Job:
    """Something done every so many seconds; `due` is on the monotonic clock."""

    name: str
    every: float
    run: Callable[[], object]
    due: float = 0.0


class Worker:
    """One worker: `start` begins its loops, `stop` ends them.

    Each channel has a thread of its own, so that a dead mail server holds up no SMS.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._name = tokens.new_token()
        self._stopping = threading.Event()
        self._jobs = [
            _Job("seal-audit", 5, housekeeping.seal_audit),
            _Job("purge", 600, housekeeping.purge),
            _Job("rotate-keys", 3600, housekeeping.rotate_keys),
        ]
        self.threads = [
            *(
                self._thread(channel, partial(self._deliver, channel))
                for channel in outbox.CHANNELS
            ),
            self._thread("tidy", self._tidy),
        ]

    def _thread(self, name: str, loop: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=loop, name=f"seuil-{name}", daemon=True)

    def start(self) -> None:
        """Begin every loop. No failure ends one."""
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """End every loop after what it is doing, and let go of all connections."""
        self._stopping.set()
        outbox.bell.ring()
        for thread in self.threads:
            thread.join(timeout=30)
        routes.close(self._app)

    def _deliver(self, channel: str) -> None:
        while not self._stopping.is_set():
            # Before looking: what is left behind while we look rings again.
            heard = outbox.bell.heard()
            with self._app.app_context():
                pause = settings.outbox_poll.total_seconds()
                # One at a time, to stop after it when asked to.
                send = partial(outbox.deliver_due, self._name, channel, _UNDELIVERED, most=1)
                busy = self._try(f"deliver-{channel}", send)
            if not busy:
                outbox.bell.wait(heard, pause)

    def _tidy(self) -> None:
        while not self._stopping.is_set():
            with self._app.app_context():
                self._periodic()
            self._stopping.wait(1)

    def _periodic(self) -> None:
        for job in self._jobs:
            if job.due <= time.monotonic():
                job.due = time.monotonic() + job.every
                self._try(job.name, job.run)

    def _try(self, name: str, run: Callable[[], object]) -> object:
        try:
            return run()
        except Exception:  # noqa: BLE001 - the loop must outlive whatever went wrong
            _log.exception("job_failed", job=name)
            db.session.rollback()
            self._stopping.wait(1)
            return None


def start(app: Flask) -> Worker:
    """Start delivering in this process; kept as `app.extensions["seuil.worker"]`."""
    worker = Worker(app)
    worker.start()
    app.extensions["seuil.worker"] = worker
    return worker
