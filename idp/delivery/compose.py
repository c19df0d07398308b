"""An e-mail as it travels: text and HTML, headers that nobody can forge (RFC 5322, RFC 3834, RFC 6532)."""

from dataclasses import dataclass
from email import message_from_bytes
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTPUTF8, Policy
from email.utils import formatdate

from idp.delivery.messages import Mail


class _LinkHeader(UnstructuredHeader):
    """One link on one line: folded, it would become encoded words, which RFC 2369 knows nothing of."""

    def fold(self, *, policy: Policy) -> str:
        return f"List-Unsubscribe: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
# The registry mixes its base class in.
_HEADERS.map_to_type("list-unsubscribe", _LinkHeader)  # type: ignore[arg-type]
_POLICY = SMTPUTF8.clone(header_factory=_HEADERS)


class ForgedHeaderError(Exception):
    """A value that would become a header or a text of its own."""


@dataclass(frozen=True)
class Letterhead:
    """Who every e-mail is from. `envelope` is where bounces go (RFC 5321 4.5.5)."""

    address: str
    name: str
    envelope: str


def compose(message: Mail, letterhead: Letterhead, uid: str) -> EmailMessage:
    """The message as it travels. Raises ForgedHeaderError or ValueError for line breaks in headers.

    Its Message-ID follows from `uid`, so that a second copy of one message can be known for what it is.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _address(letterhead.address, letterhead.name)
    mail["To"] = _address(message.to)
    mail["Subject"] = message.subject
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<{uid}@{letterhead.address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.unsubscribe:
        mail["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    _check_headers(mail)
    return mail


def _check_headers(mail: EmailMessage) -> None:
    """Raises ForgedHeaderError when the written message would be read with other headers than ours."""
    written = message_from_bytes(mail.as_bytes())
    if written.keys() != mail.keys() or written.defects:
        raise ForgedHeaderError


def _address(address: str, name: str = "") -> Address:
    """Part by part: `addr_spec` takes no international local part (RFC 6531).

    Raises ForgedHeaderError for what some software would decode (RFC 2047), this one or a reader's.
    """
    if "=?" in address:
        raise ForgedHeaderError
    local, _, domain = address.rpartition("@")
    return Address(name, local, domain)
