"""The bell: no ring is missed, none is taken from another listener."""

import threading
import time

from idp.delivery.bell import Bell


def test_a_ring_between_looking_and_waiting_is_not_missed():
    bell = Bell()
    heard = bell.heard()
    bell.ring()
    began = time.monotonic()
    bell.wait(heard, 10)
    assert time.monotonic() - began < 1


def test_every_listener_hears_every_ring():
    bell = Bell()
    heard, woken = bell.heard(), []

    def listen():
        bell.wait(heard, 10)
        woken.append(bell.heard())

    threads = [threading.Thread(target=listen) for _ in range(5)]
    for thread in threads:
        thread.start()
    bell.ring()
    for thread in threads:
        thread.join(timeout=5)
    assert woken == [heard + 1] * 5


def test_silence_ends_the_wait_in_time():
    bell = Bell()
    began = time.monotonic()
    bell.wait(bell.heard(), 0.05)
    assert 0.04 < time.monotonic() - began < 2
