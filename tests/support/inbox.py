"""A real SMTP server and a real HTTP SMS gateway, which keep what they receive."""

import json
import logging
import re
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.ports import free_port
from tests.support.threads import Listener

# The servers of these tests are hung up on and lied to on purpose; theirs are not the logs to read.
logging.getLogger("mail.log").disabled = True


@dataclass(frozen=True)
class Received:
    """One message as it arrived."""

    channel: str
    to: str
    text: str
    subject: str = ""
    mail: EmailMessage | None = None
    at: float = field(default_factory=time.time, compare=False)


_CODE = re.compile(r"\b\d{6}\b")


class Inbox:
    """Both servers, on free loopback ports."""

    def __init__(self) -> None:
        self.messages: list[Received] = []
        self.sms_status = 200
        self.smtp_answer = "250 OK"
        self.smtp_port = free_port()
        self._smtp = Controller(
            self, hostname="127.0.0.1", port=self.smtp_port, enable_SMTPUTF8=True
        )
        self._smtp.start()
        inbox = self

        class Gateway(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if inbox.sms_status < 300:
                    inbox.messages.append(Received("sms", body["to"], body["text"]))
                self.send_response(inbox.sms_status)
                self.end_headers()

        self._http = Listener(Gateway)
        self.sms_url = f"{self._http.url}/sms"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if not self.smtp_answer.startswith("250"):
            return self.smtp_answer
        mail = message_from_bytes(envelope.content, policy=policy.default)
        text = mail.get_body(("plain",)).get_content()
        for to in envelope.rcpt_tos:
            self.messages.append(Received("email", to, text, str(mail["Subject"]), mail))
        return self.smtp_answer

    @property
    def codes(self) -> list[Received]:
        """Messages with a code; notices have none."""
        return [
            one for one in self.messages if _CODE.search(one.text) and "/alert/" not in one.text
        ]

    def clear(self) -> None:
        """Forget everything, and work again."""
        self.messages.clear()
        self.sms_status, self.smtp_answer = 200, "250 OK"

    def stop(self) -> None:
        """Stop both servers."""
        self._smtp.stop()
        self._http.stop()
