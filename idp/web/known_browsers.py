"""The cookie by which a browser shows that somebody has signed in from it before.

It holds the last few accounts, each as a short keyed digest of its `sub` and epoch, in a list that is
signed with the time. All it is good for: the tries of such a browser, and the messages of a recovery that
begins there, are counted apart from those of strangers; a sign-in from any other one is news to the owner.
"""

import hashlib
import hmac
from typing import cast

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from idp.extensions import settings
from idp.web import cookies

_COOKIE = "seuil-known"
_ACCOUNTS = 5
"""How many a browser remembers: a household's computer, in a cookie of about 200 characters."""


def knows(sub: str, epoch: int) -> bool:
    """True when both factors of this account, as it is now, were shown in this browser before."""
    mark = _mark(sub, epoch)
    return any(hmac.compare_digest(mark, one) for one in _remembered())


def remember(response: Response, sub: str, epoch: int) -> None:
    """Let the browser know this account from now on; for when both factors have just been shown."""
    mark = _mark(sub, epoch)
    marks = [mark, *(one for one in _remembered() if one != mark)][:_ACCOUNTS]
    age = int(settings.known_browser_lifetime.total_seconds())
    cookies.put(response, _COOKIE, _serializer().dumps(marks), max_age=age)


def _remembered() -> list[str]:
    """The digests in the cookie, newest first; none when it is not one of ours, or too old."""
    sealed = request.cookies.get(cookies.name_of(_COOKIE), "")
    age = int(settings.known_browser_lifetime.total_seconds())
    try:
        return cast("list[str]", _serializer().loads(sealed, max_age=age))
    except BadData:
        return []


def _mark(sub: str, epoch: int) -> str:
    """128 bits, which tell nothing to whoever reads the cookie."""
    key = hashlib.sha256(b"seuil:known-browser:" + _secret()).digest()
    return hmac.new(key, f"{epoch}:{sub}".encode(), hashlib.sha256).hexdigest()[:32]


def _serializer() -> URLSafeTimedSerializer:
    digest = {"digest_method": hashlib.sha256}
    return URLSafeTimedSerializer(_secret(), salt="seuil:known-browser", signer_kwargs=digest)


def _secret() -> bytes:
    return cast("bytes", current_app.secret_key)
