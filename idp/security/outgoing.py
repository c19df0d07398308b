"""Asking an HTTP service of somebody else's: for no longer than was said, and no more than makes sense."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from idp.security.slots import Slots


class SilentError(Exception):
    """No answer in time, or an endless one. The text names neither the service nor what it was asked."""


@dataclass(frozen=True)
class Response:
    """What came back."""

    status: int
    body: bytes


_FAILURES = (SilentError, requests.RequestException, HTTPError, OSError, ValueError)
"""All that a broken service makes of a question."""

_MOST_ADDRESSES = 3

Reach = Callable[[str], bool]
"""Whether an IP address may be talked to."""


class Service:
    """`at_once` questions may be on their way; `largest` is in bytes. One that looks up a name in vain outlives
    its time-out, until the system gives up."""

    def __init__(self, *, at_once: int, largest: int) -> None:
        self._at_once, self._largest = at_once, largest
        self._slots = Slots()

    def ask(
        self, method: str, url: str, seconds: float, reach: Reach | None = None, **options: Any
    ) -> Response:
        """Ask, in a thread, so that nothing (names, handshakes, drops of an answer) holds the caller longer.

        Certificates are verified, redirections not followed, no compressed answer is unpacked. No address
        is talked to for which `reach` says no. `options` are those of `requests`. Raises SilentError.
        """
        answer: Future[Response] = Future()
        line = _Line(reach, seconds)

        def read() -> Response:
            with self._slots.one_of(self._at_once) as free, closing(line):
                _admit(free=free)
                return self._read(method, url, seconds, line, options)

        threading.Thread(target=_keep, args=(read, answer), name="outgoing", daemon=True).start()
        try:
            return answer.result(seconds)
        except TimeoutError:
            # Or a service that sends a letter a second would keep the thread and its place for ever.
            line.cut()
            raise SilentError(f"no answer within {seconds:g} s") from None
        except SilentError:
            raise
        except _FAILURES as error:
            raise SilentError(type(error).__name__) from None

    def _read(
        self, method: str, url: str, seconds: float, line: "_Line", options: dict[str, Any]
    ) -> Response:
        headers = {"Accept-Encoding": "identity", "User-Agent": "seuil"} | options.pop(
            "headers", {}
        )
        with (
            _session(line) as session,
            session.request(
                *(method, url),
                **options,
                headers=headers,
                timeout=seconds,
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            body = response.raw.read(self._largest + 1, decode_content=False)
        if len(body) > self._largest:
            raise SilentError("an endless answer")
        return Response(response.status_code, body)


def _keep(read: Callable[[], Response], answer: Future[Response]) -> None:
    """What came of it, for whoever waits."""
    try:
        answer.set_result(read())
    except _FAILURES as error:
        answer.set_exception(error)


def _admit(*, free: bool) -> None:
    if not free:
        raise SilentError("too many questions on their way")


class _Line:
    """The connections of one question. They lead only where `reach` allows; whoever asked can cut them."""

    def __init__(self, reach: Reach | None, seconds: float) -> None:
        self._reach, self._end = reach, time.monotonic() + seconds
        self._lock = threading.Lock()
        self._twins: list[socket.socket] = []
        self._is_cut = False

    def connect(self, host: str, port: int) -> socket.socket:
        """Connect to the first of a few addresses that answers. They are looked at here, because a name may
        change its mind between being looked up and being used. Raises OSError."""
        failure = OSError("no address that may be talked to")
        for family, kind, protocol, _name, address in _addresses(host, port):
            if self._reach and not self._reach(str(address[0])):
                continue
            connection = socket.socket(family, kind, protocol)
            try:
                self._admit(connection)
                connection.settimeout(max(0.001, self._end - time.monotonic()))
                connection.connect(address)
            except OSError as error:
                connection.close()
                failure = error
                continue
            return connection
        raise failure

    def _admit(self, connection: socket.socket) -> None:
        with self._lock:
            if self._is_cut or time.monotonic() >= self._end:
                raise OSError("too late")
            # TLS takes the socket over; its twin stays ours.
            self._twins.append(connection.dup())

    def cut(self) -> None:
        """End what is said on them, wherever it hangs."""
        with self._lock:
            self._is_cut = True
            for twin in self._twins:
                with suppress(OSError):
                    twin.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Nothing is said any more."""
        with self._lock:
            while self._twins:
                self._twins.pop().close()


def _addresses(host: str, port: int) -> list[Any]:
    """Whoever has a name decides how many it has: a few are tried."""
    return socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[:_MOST_ADDRESSES]


def _session(line: _Line) -> requests.Session:
    session = requests.Session()
    # Credentials that the machine's ~/.netrc has for a host are nobody's here.
    session.auth = _nobody
    for scheme in ("https://", "http://"):
        session.mount(scheme, _adapter(line))
    return session


def _nobody(question: requests.PreparedRequest) -> requests.PreparedRequest:
    return question


_LOST = (
    *("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "::/96", "::ffff:0:0:0/96"),
    *("fec0::/10", "3fff::/20", "5f00::/16"),
)
"""Public by their looks: an IPv4 address of any kind is inside, or they lead nowhere in public."""
_NETWORKS = tuple(map(ip_network, _LOST))


def public_or(networks: tuple[IPv4Network | IPv6Network, ...]) -> Reach:
    """Addresses of the public Internet, and of these networks besides."""

    def reach(text: str) -> bool:
        address = ip_address(text.partition("%")[0])
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        found = mapped or address
        lost = found.is_multicast or any(found in network for network in _NETWORKS)
        return (found.is_global and not lost) or any(found in network for network in networks)

    return reach


def _adapter(line: _Line) -> HTTPAdapter:
    """Where requests go through a proxy of the environment, that is the guard."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return line.connect(self._dns_host, self.port)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return line.connect(self._dns_host, self.port)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    adapter = HTTPAdapter()
    adapter.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return adapter
