"""Asking a list of leaked passwords, without telling it which (k-anonymity): only the first five characters
of the SHA-1 go out, and the suffixes of all passwords that begin so come back, among padding.

Whoever does not answer in time, or nonsense, is no reason to refuse a password.
"""

import hashlib
import re

import structlog

from idp.audit import events
from idp.extensions import release, settings, transaction
from idp.security.outgoing import Service, SilentError

_log = structlog.get_logger("seuil.password")

_LINE = re.compile(rb"([0-9A-Fa-f]{35}):([0-9]{1,10})")

_LARGEST = 256 * 1024
"""Bytes of an answer: about a thousand lines with padding are 50 KB."""
_AT_ONCE = 4

_list = Service(at_once=_AT_ONCE, largest=_LARGEST)


def is_leaked(password: str) -> bool:
    """True when the list (`password_range_url`) knows the password. False without a list, or an answer.

    Holds no connection of ours and must not run inside a transaction: RuntimeError. That a list did not
    answer is noted in a transaction of its own.
    """
    if not settings.password_range_url:
        return False
    release()
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    suffixes = _suffixes(digest[:5])
    if suffixes is None:
        _log.warning("password_list_silent")
        with transaction():
            events.password_list_silent()
        return False
    return digest[5:] in suffixes


def _suffixes(prefix: str) -> set[str] | None:
    url = f"{settings.password_range_url.rstrip('/')}/{prefix}"
    try:
        answer = _list.ask(
            "GET",
            url,
            settings.password_range_timeout.total_seconds(),
            headers={"Add-Padding": "true"},
        )
    except SilentError as error:
        _log.info("password_list_failed", error=str(error))
        return None
    return _parsed(answer.body) if answer.status == 200 else None


def _parsed(body: bytes) -> set[str] | None:
    """The suffixes, without the padding (count 0); None for what is no such list."""
    found = set()
    for line in body.split():
        match = _LINE.fullmatch(line)
        if match is None:
            return None
        if int(match[2]):
            found.add(match[1].decode().upper())
    return found
