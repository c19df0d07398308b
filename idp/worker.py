"""The loop that delivers messages and, from time to time, tidies up and rotates keys."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from flask import Flask

from idp import housekeeping
from idp.delivery import outbox
from idp.extensions import db, settings
from idp.security import tokens

_log = structlog.get_logger("seuil.worker")


@dataclass
class _Job:
    """Something done every so many seconds; `due` is on the monotonic clock."""

    name: str
    every: float
    run: Callable[[], object]
    due: float = 0.0


class Worker:
    """One worker: `run` loops until `stop`."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._name = tokens.new_token()
        self._stopping = threading.Event()
        self._jobs = [
            _Job("seal-audit", 5, housekeeping.seal_audit),
            _Job("purge", 600, housekeeping.purge),
            _Job("rotate-keys", 3600, housekeeping.rotate_keys),
        ]

    def run(self) -> None:
        """Deliver and tidy until stopped. No failure ends the loop."""
        while not self._stopping.is_set():
            with self._app.app_context():
                pause = settings.outbox_poll.total_seconds()
                busy = self._try("deliver", lambda: outbox.deliver_due(self._name))
                self._periodic()
            if not busy:
                outbox.waiting.wait(pause)
                outbox.waiting.clear()

    def stop(self) -> None:
        """Ask the loop to end after what it is doing."""
        self._stopping.set()
        outbox.waiting.set()

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


class InlineWorker:
    """A worker in a thread of this process, for a single node."""

    def __init__(self, app: Flask) -> None:
        self._worker = Worker(app)
        self._thread = threading.Thread(target=self._worker.run, name="seuil-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._worker.stop()
        self._thread.join(timeout=30)


def start(app: Flask) -> InlineWorker:
    """Start delivering in this process; kept as `app.extensions["seuil.worker"]`."""
    worker = InlineWorker(app)
    app.extensions["seuil.worker"] = worker
    return worker
