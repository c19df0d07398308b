"""A lane: a thread that owns one sender and its connection, so that whoever sends never waits too long.

No library keeps to one deadline for a whole exchange: a server that sends a byte now and then holds it
for ever. So the sending thread waits for the lane's answer only as long as the route allows; then it
cuts the connection and leaves that lane behind.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from idp.delivery.senders import RefusedError, RetryLaterError, Sender, UndeliverableError

M = TypeVar("M")
_log = structlog.get_logger("seuil.delivery")

_EXPECTED = (RefusedError, RetryLaterError, UndeliverableError)
_LEFT_BEHIND = 3
"""Lanes of one route that may still hang before no further one is begun."""


@dataclass(frozen=True)
class _Job(Generic[M]):
    message: M
    uid: str
    answer: "Future[str]"


class _Lane(Generic[M]):
    """The thread."""

    def __init__(self, name: str, sender: Sender[M]) -> None:
        self.sender = sender
        self._jobs: queue.SimpleQueue[_Job[M] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._run, name=f"lane-{name}", daemon=True)
        self.thread.start()

    def hand_over(self, message: M, uid: str) -> "Future[str]":
        """Give the lane a message; its answer to come."""
        job = _Job(message, uid, Future())
        self._jobs.put(job)
        return job.answer

    def end(self) -> None:
        """End after what is being sent."""
        self._jobs.put(None)

    def _run(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=self.sender.pulse)
            except queue.Empty:
                self._quietly(self.sender.tend)
                continue
            if job is None:
                break
            self._send(job)
        self._quietly(self.sender.close)

    def _send(self, job: _Job[M]) -> None:
        try:
            job.answer.set_result(self.sender.send(job.message, job.uid))
        except _EXPECTED as error:
            job.answer.set_exception(error)
        except Exception as error:  # noqa: BLE001 - a library that breaks is a dead gateway
            self._quietly(self.sender.close)
            job.answer.set_exception(RetryLaterError(type(error).__name__))

    def _quietly(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - the lane outlives whatever its gateway does
            _log.warning("connection_lost", lane=self.thread.name, error=type(error).__name__)


class Lanes(Generic[M]):
    """The lane of one route, and a new one in place of each that hangs. One message at a time."""

    def __init__(self, name: str, make: Callable[[], Sender[M]]) -> None:
        self._name, self._make = name, make
        self._lane: _Lane[M] | None = None
        self._left: list[_Lane[M]] = []
        self._lock = threading.Lock()

    def send(self, message: M, uid: str, timeout: float) -> str:
        """Send within `timeout` seconds. Raises what senders raise, RetryLaterError when it takes longer."""
        with self._lock:
            lane = self._current()
            answer = lane.hand_over(message, uid)
            try:
                return answer.result(timeout)
            except TimeoutError:
                self._leave(lane)
                raise RetryLaterError(f"no answer within {timeout:g} s") from None

    def close(self) -> None:
        """End the lane and let go of its connection. The next message begins another."""
        with self._lock:
            lane, self._lane = self._lane, None
            if lane:
                lane.end()
                lane.thread.join(timeout=5)

    def _current(self) -> _Lane[M]:
        if self._lane is None:
            self._left = [lane for lane in self._left if lane.thread.is_alive()]
            if len(self._left) >= _LEFT_BEHIND:
                raise RetryLaterError("still hangs")
            self._lane = _Lane(self._name, self._make())
        return self._lane

    def _leave(self, lane: _Lane[M]) -> None:
        lane.sender.abort()
        lane.end()
        self._left.append(lane)
        self._lane = None
