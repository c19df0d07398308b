"""SMS over any HTTP gateway: what it wants to be sent, and how its answer is read.

Gateways that we know are described in `gateways/`; every other one in the routes file.
"""

import hashlib
import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

import requests

from idp import clock
from idp.delivery.filling import fill, words_of
from idp.delivery.messages import Sms
from idp.delivery.senders import RefusedError, RetryLaterError

_LATER = {401, 403, 404, 405, 407, 408, 425, 429}
"""Our credentials, our address, or its limits are at fault, not this message."""


@dataclass(frozen=True)
class Success:
    """When an answer says that the message was taken: by status alone, or also by its body.

    `path` leads through JSON by names and numbers separated by dots; there must be `equals`, or
    something at all. `contains` is looked for in the whole body.
    """

    status: frozenset[int] = frozenset(range(200, 300))
    path: str = ""
    equals: Any = None
    contains: str = ""

    @property
    def reads_body(self) -> bool:
        """True when the status is not enough."""
        return bool(self.path or self.contains)


@dataclass(frozen=True)
class HttpGateway:
    """One gateway. `body` is filled in as JSON, as a form, or as text; `values` are further placeholders."""

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: Literal["json", "form", "text", ""] = ""
    body: Any = None
    escape: Literal["", "xml", "url"] = ""
    user: tuple[str, str] | None = None
    signature: Literal["", "ovhcloud"] = ""
    sender: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    success: Success = Success()
    reference: str = ""

    @property
    def shape(self) -> list[Any]:
        """Everything that may hold placeholders."""
        return [self.url, dict(self.headers), self.body, list(self.user or ())]


def write(gateway: HttpGateway, sms: Sms, uid: str) -> requests.Request:
    """The request for one message."""
    words = words_of(sms, uid, gateway.sender, gateway.values)
    request = requests.Request(
        gateway.method,
        fill(gateway.url, words, _in_url),
        headers=fill(dict(gateway.headers), words),
        # A callable, so that nobody's .netrc is looked at instead.
        auth=tuple(fill(list(gateway.user), words)) if gateway.user else _anonymous,
    )
    if gateway.kind == "json":
        request.data = json.dumps(fill(gateway.body, words), separators=(",", ":"))
        request.headers.setdefault("Content-Type", "application/json")
    elif gateway.kind == "form":
        request.data = fill(gateway.body, words)
    elif gateway.kind == "text":
        request.data = fill(gateway.body, words, _ESCAPES[gateway.escape]).encode()
    return request


def sign(gateway: HttpGateway, request: requests.PreparedRequest) -> None:
    """Add the signature that the gateway asks for."""
    if gateway.signature == "ovhcloud":
        _sign_ovhcloud(request, gateway.values)


def _sign_ovhcloud(request: requests.PreparedRequest, values: Mapping[str, str]) -> None:
    """SHA-1 over secret, consumer key, method, URL, body and time, as OVHcloud's API documents it."""
    now = str(int(clock.now().timestamp()))
    body = request.body or ""
    text = body.decode() if isinstance(body, bytes) else body
    signed = (
        *(values["application_secret"], values["consumer_key"]),
        *(str(request.method), str(request.url), text, now),
    )
    digest = hashlib.sha1("+".join(signed).encode(), usedforsecurity=False).hexdigest()
    request.headers["X-Ovh-Timestamp"] = now
    request.headers["X-Ovh-Signature"] = f"$1${digest}"


def judge(success: Success, status: int, body: bytes) -> None:
    """Raises RefusedError or RetryLaterError when the answer does not say that the message was taken."""
    if status not in success.status:
        if 400 <= status < 500 and status not in _LATER:
            raise RefusedError(f"HTTP {status}")
        raise RetryLaterError(f"HTTP {status}")
    if success.contains and success.contains.encode() not in body:
        raise RefusedError(f"HTTP {status}, but not accepted")
    if success.path:
        found = at(body, success.path)
        if found is None or (success.equals is not None and found != success.equals):
            raise RefusedError(f"HTTP {status}, but not accepted")


def at(body: bytes, path: str) -> Any:
    """What stands in a JSON text under `a.0.b`; None when nothing does, or it is no JSON."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for step in path.split("."):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def _in_url(value: str) -> str:
    return quote(value, safe="")


def _anonymous(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


_ESCAPES: Mapping[str, Callable[[str], str]] = {"": str, "xml": html.escape, "url": _in_url}
