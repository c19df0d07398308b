"""Asking a list of leaked passwords, without telling it which (k-anonymity): only the first five characters
of the SHA-1 go out, and the suffixes of all passwords that begin so come back, among padding.

Whoever does not answer in time, or nonsense, is no reason to refuse a password.
"""

import hashlib
import re
import threading

import requests
import structlog

from idp.audit import events
from idp.extensions import release, settings, transaction
from idp.security.slots import Slots

_log = structlog.get_logger("seuil.password")

_LARGEST = 256 * 1024
"""Bytes of an answer: about a thousand lines with padding are 50 KB."""
_AT_ONCE = 4
"""Questions that may be on their way: one that hangs outlives its time-out, until its connection ends."""
_HEADERS = {"Add-Padding": "true", "Accept-Encoding": "identity", "User-Agent": "seuil"}
_LINE = re.compile(rb"([0-9A-Fa-f]{35}):([0-9]{1,10})")

_asked = Slots()


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
    """Ask in a thread, so that nothing (names, handshakes, drops of an answer) holds the page longer."""
    url = f"{settings.password_range_url.rstrip('/')}/{prefix}"
    seconds = settings.password_range_timeout.total_seconds()
    answer: list[set[str] | None] = []
    asking = threading.Thread(target=lambda: answer.append(_ask(url, seconds)), daemon=True)
    asking.start()
    asking.join(seconds)
    return answer[0] if answer else None


def _ask(url: str, seconds: float) -> set[str] | None:
    with _asked.one_of(_AT_ONCE) as free:
        return _read(url, seconds) if free else None


def _read(url: str, seconds: float) -> set[str] | None:
    """Certificates are verified, redirections not followed, and no more is read than makes sense."""
    try:
        with requests.get(
            url, headers=_HEADERS, timeout=seconds, allow_redirects=False, stream=True
        ) as response:
            body = response.raw.read(_LARGEST + 1, decode_content=False)
    except (requests.RequestException, OSError, ValueError) as error:
        _log.info("password_list_failed", error=type(error).__name__)
        return None
    return _parsed(body) if response.status_code == 200 and len(body) <= _LARGEST else None


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
