"""Servers that do not do what they should, on real sockets."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

Script = Callable[[socket.socket], None]


def eventually(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """What the condition gives as soon as it holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it never came to that")


@contextlib.contextmanager
def faulty(script: Script) -> Iterator[int]:
    """A server that plays a script over every connection; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_ones: list[socket.socket] = []
    players: list[threading.Thread] = []

    def play(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            script(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _peer = listener.accept()
                open_ones.append(connection)
                players.append(threading.Thread(target=play, args=(connection,), daemon=True))
                players[-1].start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in open_ones:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for player in (thread, *players):
            player.join(timeout=10)


def silent(connection: socket.socket) -> None:
    """Takes everything, answers nothing."""
    while connection.recv(65536):
        pass


def says(*parts: bytes) -> Script:
    """Says this right away, then hangs up."""

    def script(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        silent(connection)

    return script


def dribbles(letter: bytes, every: float = 0.05) -> Script:
    """Sends a little of an answer again and again, and never ends it."""

    def script(connection: socket.socket) -> None:
        while True:
            connection.sendall(letter)
            time.sleep(every)

    return script


def smtp(*, until: bytes, then: Script) -> Script:
    """A mail server that behaves until a command comes, and goes on as told from there."""

    def script(connection: socket.socket) -> None:
        connection.sendall(b"220 faulty\r\n")
        in_data = False
        for line in connection.makefile("rb"):
            if line.upper().startswith(until) and (not in_data or until == b".\r\n"):
                then(connection)
                return
            if in_data and line != b".\r\n":
                continue
            in_data = line.upper().startswith(b"DATA")
            connection.sendall(b"354 go on\r\n" if in_data else b"250 OK\r\n")

    return script
