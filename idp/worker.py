"""The loops that deliver messages, one for each channel, tell others what happened, and tidy up."""

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
from idp.flow import undelivered
from idp.migration import callbacks
from idp.oidc import backchannel
from idp.security import tokens

_OLD_SYSTEM_PAUSE = 5.0
"""Seconds between two looks at what an old system is to be told."""

_CLIENTS_PAUSE = 1.0
"""Seconds between two looks at what relying parties are to be told."""

_log = structlog.get_logger("seuil.worker")


@dataclass
class _Job:
    """Something done every so many seconds; `due` is on the monotonic clock."""

    name: str
    every: float
    run: Callable[[], object]
    due: float = 0.0


class Worker:
    """One worker: `start` begins its loops, `stop` ends them.

    Each channel has a thread of its own, so that a dead mail server holds up no SMS. So has each old system
    that is told who has migrated.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._name = tokens.new_token()
        self._stopping = threading.Event()
        self._jobs = [
            _Job("seal-audit", 5, housekeeping.seal_audit),
            _Job("purge", 600, housekeeping.purge),
            _Job("rotate-keys", 3600, housekeeping.rotate_keys),
            _Job("remind", 3600, housekeeping.remind),
        ]
        self.threads = [
            *(
                self._thread(channel, partial(self._deliver, channel))
                for channel in outbox.CHANNELS
            ),
            *(
                self._thread(f"tell-{number}", partial(self._tell, name))
                for number, name in enumerate(self._old_systems())
            ),
            self._thread("logout", self._tell_clients),
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
                send = partial(outbox.deliver_due, self._name, channel, undelivered.OWNERS, most=1)
                busy = self._try(f"deliver-{channel}", send)
            if not busy:
                outbox.bell.wait(heard, pause)

    def _old_systems(self) -> list[str]:
        with self._app.app_context():
            return callbacks.sources()

    def _tell(self, source: str) -> None:
        """A thread for each old system: one that is slow or dead keeps no other, and no message, waiting."""
        while not self._stopping.is_set():
            with self._app.app_context():
                taken = self._try(f"tell-{source}", partial(callbacks.make_next, source))
            if not taken:
                self._stopping.wait(_OLD_SYSTEM_PAUSE)

    def _tell_clients(self) -> None:
        """Of sessions that ended."""
        while not self._stopping.is_set():
            with self._app.app_context():
                found = self._try("tell-clients", backchannel.tell_next)
            if found is None:
                self._stopping.wait(_CLIENTS_PAUSE)

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
