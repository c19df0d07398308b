"""Bounding what may hold a thread of this process at the same time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """So many at a time. Whoever comes beyond that is told at once, and never kept waiting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    @contextmanager
    def one_of(self, limit: int) -> Iterator[bool]:
        """Hold one of `limit` slots while the block runs; False when none was left."""
        with self._lock:
            mine = self._taken < limit
            self._taken += mine
        try:
            yield mine
        finally:
            with self._lock:
                self._taken -= mine
