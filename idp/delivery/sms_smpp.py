"""SMS over SMPP 3.4 (extra `smpp`): one bound session, kept alive, receipts noted."""

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, cast

import smpplib.exceptions
from smpplib.command import Command

from idp.delivery import gsm7
from idp.delivery.messages import Sms
from idp.delivery.senders import RefusedError, RetryLaterError
from idp.delivery.smpp_session import LINK_ERRORS, Session, SmppServer
from idp.delivery.tables import TomlTable

_BUSY = {0x08, 0x14, 0x45, 0x58, 0x61, 0x64}
"""System error, queue full, submit failed, throttled, bad schedule, application error: later (SMPP 5.1.3)."""
_UDH, _RECEIPT = 0x40, 0x04
_STATES = {1: "enroute", 2: "delivered", 3: "expired", 4: "deleted", 5: "undeliverable"} | {
    6: "accepted",
    7: "unknown",
    8: "rejected",
}
_WORDS = {"DELIVRD": "delivered", "EXPIRED": "expired", "DELETED": "deleted"} | {
    "UNDELIV": "undeliverable",
    "ACCEPTD": "accepted",
    "UNKNOWN": "unknown",
    "REJECTD": "rejected",
}

Note = Callable[[str, str], bool]
"""Takes the gateway's name for a message and what became of it; False while no such message is known."""


def plan(table: TomlTable, timeout: float, note: Note) -> Callable[[], "SmppSmsSender"]:
    """A message centre, from its table of the routes file. Raises ValueError."""
    server = SmppServer(
        host=table.text("host"),
        port=table.port(2775),
        system_id=table.text("system_id"),
        password=table.text("password", ""),
        sender=table.text("sender"),
        system_type=table.text("system_type", ""),
        tls=table.flag("tls", default=False),
        split=cast("Literal['udh', 'payload']", table.choice("split", ("udh", "payload"), "udh")),
        receipts=table.flag("receipts", default=True),
        timeout=timeout,
        enquire=table.number("enquire", 30, most=600),
    )
    table.end()
    limits = {"system_id": 15, "password": 8, "system_type": 12, "sender": 20}
    for name, most in limits.items():
        if len(getattr(server, name)) > most:
            raise ValueError(f"{name} has more than the {most} characters of SMPP 3.4")
    return lambda: SmppSmsSender(server, note)


class SmppSmsSender:
    """One message centre. Receipts that come before their message is on record are kept for a while."""

    def __init__(self, server: SmppServer, note: Note) -> None:
        self._server, self._note = server, note
        self._session: Session | None = None
        self._receipts: dict[str, str] = {}
        self._marks = itertools.count()
        self.pulse = min(1.0, server.enquire) if server.receipts else server.enquire
        self._quiet = 0.0

    def send(self, message: Sms, uid: str) -> str:  # noqa: ARG002 - SMPP has no place for it
        """Submit every segment; the first one's name. Raises as `Sender.send` says."""
        self._quiet = 0.0
        with self._sorted():
            session = self._bound()
            names = [self._submit(session, fields) for fields in self._submissions(message)]
        return names[0]

    def tend(self) -> None:
        """Read what has come, ask from time to time whether the other side lives, note receipts."""
        self._quiet += self.pulse
        if self._session:
            try:
                self._session.read_waiting()
                if self._quiet >= self._server.enquire:
                    self._quiet = 0.0
                    self._session.ask("enquire_link", {})
            except (*LINK_ERRORS, smpplib.exceptions.PDUError):
                self.close()
        kept = self._receipts.items()
        self._receipts = {name: state for name, state in kept if not self._note(name, state)}

    def problem(self) -> str | None:
        """Bind, and nothing more."""
        try:
            with self._sorted():
                self._bound()
        except RetryLaterError as error:
            return f"{self._server.host}:{self._server.port} cannot be bound to: {error}"
        return None

    def abort(self) -> None:
        """Cut the connection under whoever waits for it."""
        session = self._session
        if session:
            with contextlib.suppress(OSError):
                session.cut()

    def close(self) -> None:
        """Leave, politely if the other side still listens."""
        session, self._session = self._session, None
        if session:
            session.close()

    def _bound(self) -> Session:
        if self._session is None:
            self._session = Session(self._server, self._received)
        return self._session

    def _submit(self, session: Session, fields: dict[str, Any]) -> str:
        answer = session.ask("submit_sm", fields)
        if answer.status in _BUSY:
            raise RetryLaterError(f"SMPP status {answer.status:#x}", dead=False)
        if answer.is_error():
            raise RefusedError(f"SMPP status {answer.status:#x}")
        name = answer.message_id or b""
        return (name.decode("latin-1") if isinstance(name, bytes) else str(name))[:65]

    def _submissions(self, sms: Sms) -> Iterator[dict[str, Any]]:
        common = _addresses(self._server.sender, sms.to) | {
            "registered_delivery": int(self._server.receipts)
        }
        coding, segments = gsm7.parts(sms.text)
        if len(segments) == 1:
            yield {**common, "data_coding": coding, "short_message": segments[0]}
        elif self._server.split == "payload":
            whole = b"".join(gsm7.encode(sms.text)[1])
            yield {**common, "data_coding": coding, "short_message": b"", "message_payload": whole}
        else:
            mark = bytes([next(self._marks) % 256])
            for number, segment in enumerate(segments, start=1):
                header = b"\x05\x00\x03" + mark + bytes([len(segments), number])
                part = {"esm_class": _UDH, "short_message": header + segment}
                yield {**common, "data_coding": coding, **part}

    def _received(self, pdu: Command) -> None:
        """Keep a delivery receipt (SMPP 3.4, appendix B) until its message is on record."""
        if not (pdu.esm_class or 0) & _RECEIPT:
            return
        told = _receipt(pdu)
        if told and len(self._receipts) < 1000:
            self._receipts[told[0]] = told[1]

    @contextlib.contextmanager
    def _sorted(self) -> Iterator[None]:
        """Whatever the library raises, as what senders raise; a broken session is let go of."""
        try:
            yield
        except smpplib.exceptions.PDUError as error:
            self.close()
            status = error.args[1] if len(error.args) > 1 else 0
            raise RetryLaterError(f"SMPP status {status:#x}") from error
        except LINK_ERRORS as error:
            self.close()
            raise RetryLaterError(type(error).__name__) from error


def _addresses(sender: str, number: str) -> dict[str, Any]:
    """Type and plan of both numbers (SMPP 3.4, 5.2.5): a name, an international number, or a short code."""
    digits = sender.removeprefix("+")
    if not digits.isdecimal():
        ton, npi = 5, 0
    else:
        ton, npi = (1, 1) if sender.startswith("+") else (3, 0)
    source = {"source_addr_ton": ton, "source_addr_npi": npi, "source_addr": digits}
    target = number.removeprefix("+")
    return source | {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": target}


def _receipt(pdu: Command) -> tuple[str, str] | None:
    """Name and state, from the optional parameters or, where these are left out, from the text."""
    text = bytes(pdu.short_message or b"").decode("latin-1")
    found = re.search(r"\bid:(\S+)", text)
    name = getattr(pdu, "receipted_message_id", None) or (found and found[1])
    state = _STATES.get(getattr(pdu, "message_state", None) or 0)
    said = re.search(r"\bstat:(\w+)", text)
    state = state or _WORDS.get(said[1] if said else "")
    if not name or not state:
        return None
    return (name.decode("latin-1") if isinstance(name, bytes) else str(name)).strip("\0"), state
