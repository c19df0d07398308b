"""A lane that hangs is cut off and left behind, and ends on its own."""

import threading

import pytest

from idp.delivery.lanes import Lanes
from idp.delivery.senders import RetryLaterError
from tests.support.faults import eventually


class Hanging:
    """Hangs until it is cut."""

    pulse = 30.0

    def __init__(self):
        self.cut, self.closed = threading.Event(), threading.Event()

    def send(self, message, uid):
        self.cut.wait(30)
        raise ConnectionResetError

    def tend(self):
        pass

    def abort(self):
        self.cut.set()

    def close(self):
        self.closed.set()


def test_whoever_waits_too_long_cuts_the_connection_and_the_thread_ends():
    sender = Hanging()
    lanes = Lanes("hanging", lambda: sender)
    with pytest.raises(RetryLaterError, match="no answer within"):
        lanes.send("a message", "uid", 0.05)
    assert sender.cut.is_set()
    assert sender.closed.wait(5)
    eventually(lambda: "lane-hanging" not in {one.name for one in threading.enumerate()})
