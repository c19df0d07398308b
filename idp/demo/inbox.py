"""The demo's inbox: a real SMTP server, an HTTP SMS gateway, and a page that shows what arrives."""

import hmac
import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask, Response, abort, jsonify, render_template, request

_KEPT = 500


@dataclass(frozen=True)
class Message:
    """What arrived; the shape of `/api/messages`."""

    channel: str
    to: str
    subject: str
    text: str
    html: str
    received_at: str


class Inbox:
    """Messages of both channels, newest first, at most the last 500."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def add(self, channel: str, to: str, *, subject: str = "", text: str, html: str = "") -> None:
        """Keep a message."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._lock:
            self._messages.appendleft(Message(channel, to, subject, text, html, now))

    def all(self) -> list[Message]:
        """Newest first."""
        with self._lock:
            return list(self._messages)

    async def handle_DATA(self, _smtp: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's hook: a mail is complete."""
        mail = message_from_bytes(_octets(envelope.content), policy=policy.default)
        for recipient in envelope.rcpt_tos:
            self.add(
                "email",
                recipient,
                subject=str(mail["Subject"] or ""),
                text=_part(mail, "plain"),
                html=_part(mail, "html"),
            )
        return "250 OK"


def _octets(content: bytes | str | None) -> bytes:
    return content.encode() if isinstance(content, str) else content or b""


def _part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    return str(body.get_content()) if body else ""


def smtp_server(inbox: Inbox, port: int) -> Controller:
    """The SMTP server, not yet started."""
    return Controller(inbox, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)


def create_app(inbox: Inbox, gateway_token: str) -> Flask:
    """The page, the JSON, and the SMS gateway (bearer token)."""
    app = Flask("idp.demo")

    @app.get("/")
    def show() -> str:
        return render_template("inbox.html", messages=inbox.all())

    @app.get("/api/messages")
    def listing() -> Response:
        return jsonify([asdict(message) for message in inbox.all()])

    @app.post("/sms")
    def gateway() -> tuple[Response, int]:
        typed = request.headers.get("Authorization", "")
        if not hmac.compare_digest(typed.encode(), f"Bearer {gateway_token}".encode()):
            abort(401)
        sms = request.get_json()
        if not isinstance(sms, dict) or not {"to", "text"} <= set(sms):
            abort(422)
        inbox.add("sms", str(sms["to"]), text=str(sms["text"]))
        return jsonify(status="accepted"), 202

    return app
