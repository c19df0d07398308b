"""A list of leaked passwords on this machine, well and unwell, byte by byte."""

import hashlib
import socket
import ssl
import threading
from collections.abc import Callable

Behaviour = Callable[[socket.socket, "ListServer"], None]


class ListServer:
    """Answers each connection as told; keeps the requests it got."""

    def __init__(self, behave: Behaviour, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        self.over = threading.Event()
        self._behave, self._context = behave, context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._socket.getsockname()[1]}/range"

    def stop(self) -> None:
        """Let every answer that waits go, and end."""
        self.over.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while not self.over.is_set():
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                if self._context:
                    connection = self._context.wrap_socket(connection, server_side=True)
                with connection:
                    self.requests.append(connection.recv(65536).decode())
                    self._behave(connection, self)
        except OSError:
            return


def hashed(password: str) -> str:
    """As the list knows it."""
    return hashlib.sha1(password.encode()).hexdigest().upper()


def answer(body: bytes, status: str = "200 OK", length: int | None = None, more: str = "") -> bytes:
    """A whole response, or one that promises more than it holds."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n{more}"
    )
    return f"{head}Connection: close\r\n\r\n".encode() + body


def listing(*passwords: str, count: int = 7) -> bytes:
    """Suffixes of these passwords among padding."""
    lines = [f"{hashed(one)[5:]}:{count}" for one in passwords]
    lines += [f"{number:035X}:0" for number in range(800)]
    return "\r\n".join(lines).encode()
