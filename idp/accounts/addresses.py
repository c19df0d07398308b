"""What an e-mail address is: as stored (where mail goes) and its key (what must be unique)."""

import unicodedata
from dataclasses import dataclass

import idna
from email_validator import EmailNotValidError, validate_email


@dataclass(frozen=True)
class EmailAddress:
    """`address` receives mail, exactly as typed but normalised; `key` is unique among accounts."""

    address: str
    key: str


LONGEST = 254
"""Characters of an address (RFC 5321 4.5.3.1). Longer texts are refused before anything looks at them:
the time that Unicode normalisation takes grows with the square of what it is given."""


def parse_email(text: str) -> EmailAddress | None:
    """Read an address typed by a person (RFC 5321, RFC 6531); None when it is not one that we write to.

    The key folds case and Unicode forms, so that two spellings of one mailbox are one person's. No
    DNS question is asked: the code that is sent proves the mailbox. A local part that looks like an
    encoded word (RFC 2047) is refused: mail software would decode it.
    """
    text = text.strip()
    if len(text) > LONGEST:
        return None
    try:
        valid = validate_email(text, check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError:
        return None
    address = valid.normalized
    key = email_key(address)
    # Folding can make a text much longer.
    too_long = max(len(address), len(key)) > LONGEST
    return None if too_long or "=?" in address else EmailAddress(address, key)


def email_key(address: str) -> str:
    """Fold an address: compatibility forms and case are not distinctions between people. A domain is what
    the DNS takes it for (UTS 46): `straße.example` is not `strasse.example`."""
    local, at, domain = address[: 2 * LONGEST].rpartition("@")
    return f"{folded(local)}{at}{_dns_name(domain)}"


def mailbox_key(address: str) -> str:
    """The key of the mailbox that many providers deliver to: without a `+tag`. For counting only."""
    local, at, domain = email_key(address).rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def folded(text: str) -> str:
    """A text without its compatibility forms and case."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded)


def _dns_name(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return folded(domain)


def mask_email(address: str) -> str:
    """`jeanne@example.ch` as `j•••@e•••.ch`, for pages and logs."""
    local, _, domain = address.rpartition("@")
    name, dot, top = domain.rpartition(".")
    return f"{local[:1]}•••@{name[:1] if dot else domain[:1]}•••{dot}{top if dot else ''}"
