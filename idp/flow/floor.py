"""The floor under answers whose time must tell nothing about anybody.

Those who wait for it hold a thread each: only so many are let in at a time.
"""

import enum
import time
from collections.abc import Iterator
from contextlib import contextmanager

from idp.extensions import release, settings
from idp.security.slots import Slots

_waiting = Slots()


class Busy(enum.Enum):
    """Too many wait already; told at once, before anything was looked at."""

    BUSY = "busy"


@contextmanager
def slot() -> Iterator[bool]:
    """A place to be checked and to wait in; False when there is none."""
    with _waiting.one_of(settings.sign_in_slots) as free:
        yield free


def wait(began: float) -> None:
    """Wait, holding no connection, until the floor after `began` (`time.monotonic`) is reached."""
    release()
    time.sleep(max(0.0, began + settings.sign_in_floor.total_seconds() - time.monotonic()))
