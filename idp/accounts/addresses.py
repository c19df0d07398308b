"""What an e-mail address is: as stored (where mail goes) and its key (what must be unique)."""

import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email


@dataclass(frozen=True)
class EmailAddress:
    """`address` receives mail, exactly as typed but normalised; `key` is unique among accounts."""

    address: str
    key: str


def parse_email(text: str) -> EmailAddress | None:
    """Read an address typed by a person (RFC 5321, RFC 6531); None when it is not one.

    The key folds case and Unicode forms, so that two spellings of one mailbox are one person's. No
    DNS question is asked: the code that is sent proves the mailbox.
    """
    try:
        valid = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError:
        return None
    address = valid.normalized
    key = email_key(address)
    # Folding can make a text much longer.
    return EmailAddress(address, key) if max(len(address), len(key)) <= 254 else None


def email_key(address: str) -> str:
    """Fold a valid address: compatibility forms and case are not distinctions between people."""
    folded = unicodedata.normalize("NFKC", address).casefold()
    return unicodedata.normalize("NFKC", folded)


def mask_email(address: str) -> str:
    """`jeanne@example.ch` as `j•••@e•••.ch`, for pages and logs."""
    local, _, domain = address.rpartition("@")
    name, dot, top = domain.rpartition(".")
    return f"{local[:1]}•••@{name[:1] if dot else domain[:1]}•••{dot}{top if dot else ''}"
