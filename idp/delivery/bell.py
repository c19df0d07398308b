"""Waking those who wait, so that no ring is missed and none is taken from another listener."""

import threading


class Bell:
    """Counts its rings: whoever looked for work after hearing ring 7 waits for ring 8.

    An event that the first listener clears would leave the others asleep.
    """

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._count = 0

    def heard(self) -> int:
        """The number of rings so far; to be asked for before looking for work."""
        with self._rung:
            return self._count

    def ring(self) -> None:
        """Wake everybody."""
        with self._rung:
            self._count += 1
            self._rung.notify_all()

    def wait(self, heard: int, seconds: float) -> None:
        """Until it has rung since, or the time is over; at once when it has already."""
        with self._rung:
            if self._count == heard:
                self._rung.wait(seconds)
