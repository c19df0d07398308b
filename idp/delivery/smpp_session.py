"""One SMPP 3.4 session through smpplib: deadlines, sizes, TLS and receipts that the library leaves out."""

import contextlib
import select
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.smpp
from smpplib.command import Command

_LONGEST_PDU = 65536
LINK_ERRORS = (
    *(smpplib.exceptions.ConnectionError, smpplib.exceptions.UnknownCommandError),
    *(OSError, struct.error, ValueError, LookupError, TypeError, AttributeError),
)
"""What a link that is dead, or talks nonsense, ends in."""


@dataclass(frozen=True)
class SmppServer:
    """A message centre, and how it likes to be spoken to. Times in seconds.

    `split`: long texts as segments with a header (`udh`), or whole in `message_payload`.
    """

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    sender: str
    system_type: str = ""
    tls: bool = False
    split: Literal["udh", "payload"] = "udh"
    receipts: bool = True
    timeout: float = 10.0
    enquire: float = 30.0


class Client(smpplib.client.Client):  # type: ignore[misc]
    """smpplib's client over IPv6 too, with verified TLS, and no PDU larger than any that is sane."""

    def __init__(self, server: SmppServer) -> None:
        super().__init__(
            server.host,
            server.port,
            timeout=server.timeout,
            logger_name="smpplib.client",
            allow_unknown_opt_params=True,
        )
        self._server = server

    def connect(self) -> None:
        """Connect and encrypt. Raises OSError."""
        plain = socket.create_connection((self._server.host, self._server.port), self.timeout)
        try:
            self._socket = self._encrypted(plain) if self._server.tls else plain
        except BaseException:
            plain.close()
            raise
        self.state = smpplib.consts.SMPP_CLIENT_STATE_OPEN

    def _encrypted(self, plain: socket.socket) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        return context.wrap_socket(plain, server_hostname=self._server.host)

    def _recv_exact(self, exact_size: int) -> bytes:
        """A length that is no length ends the session."""
        if not 0 <= exact_size <= _LONGEST_PDU:
            raise smpplib.exceptions.ConnectionError
        received: bytes = super()._recv_exact(exact_size)
        return received


class Session:
    """A bound transceiver. `deliver` gets every message that comes from the other side, as `pdu`."""

    def __init__(self, server: SmppServer, deliver: Callable[[Command], None]) -> None:
        self._client = Client(server)
        self._client.set_message_received_handler(deliver)
        try:
            self._client.connect()
            self._bind(server)
        except BaseException:
            self.close()
            raise

    def _bind(self, server: SmppServer) -> None:
        """Raises smpplib's PDUError with the status of a refusal."""
        self._client.bind_transceiver(
            system_id=server.system_id, password=server.password, system_type=server.system_type
        )

    def ask(self, command: str, fields: Mapping[str, Any]) -> Command:
        """Send a request; its answer, whatever else comes in between. Raises one of LINK_ERRORS."""
        request = smpplib.smpp.make_pdu(command, client=self._client, **fields)
        self._client.send_pdu(request)
        while True:
            pdu = self._client.read_pdu()
            if pdu.sequence == request.sequence and pdu.command in {
                f"{command}_resp",
                "generic_nack",
            }:
                return pdu
            self._answer(pdu)

    def read_waiting(self) -> None:
        """Read and answer what has come meanwhile, without waiting for more."""
        while select.select([self._client._socket], [], [], 0)[0]:  # noqa: SLF001
            self._answer(self._client.read_pdu())

    def _answer(self, pdu: Command) -> None:
        if pdu.command == "deliver_sm":
            self._client._message_received(pdu)  # noqa: SLF001 - answers it too
        elif pdu.command == "enquire_link":
            self._client._enquire_link_received(pdu)  # noqa: SLF001 - the same
        elif pdu.command == "unbind":
            raise smpplib.exceptions.ConnectionError

    def cut(self) -> None:
        """End under whoever waits for it."""
        if self._client._socket is not None:  # noqa: SLF001 - the library has no other way
            socket.socket.shutdown(self._client._socket, socket.SHUT_RDWR)  # noqa: SLF001

    def close(self) -> None:
        """Say goodbye without waiting for an answer, and let go of the socket."""
        with contextlib.suppress(Exception):
            self._client.send_pdu(smpplib.smpp.make_pdu("unbind", client=self._client))
        self._client.state = smpplib.consts.SMPP_CLIENT_STATE_OPEN
        self._client.disconnect()
