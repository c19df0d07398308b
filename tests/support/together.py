"""Doing one thing many times at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")


def together(times: int, act: Callable[[int], T]) -> list[T]:
    """What each of so many threads came to, begun when all of them were there.

    Raises BrokenBarrierError when they are not all there within ten seconds.
    """
    gate = Barrier(times)

    def one(number: int) -> T:
        gate.wait(10)
        return act(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))
