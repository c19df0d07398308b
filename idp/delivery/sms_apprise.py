"""SMS through Apprise: the gateways that it knows, each by a URL (extra `apprise`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import apprise

from idp.delivery.filling import check, fill, placeholders, words_of
from idp.delivery.messages import Sms
from idp.delivery.senders import RetryLaterError
from idp.delivery.tables import TomlTable


@dataclass(frozen=True)
class AppriseUrl:
    """`url` with placeholders; `values` are further ones."""

    url: str = field(repr=False)
    sender: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


def plan(table: TomlTable) -> Callable[[], "AppriseSmsSender"]:
    """A URL, from its table of the routes file. Raises ValueError."""
    template = AppriseUrl(
        url=table.text("url"), sender=table.text("sender", ""), values=table.secrets("values")
    )
    table.end()
    check(template.url, template.values, template.sender)
    if not {"to", "digits"} & set(placeholders(template.url)):
        raise ValueError("url must say where {to} or {digits} goes")
    return lambda: AppriseSmsSender(template)


class AppriseSmsSender:
    """One URL, filled in anew for each message."""

    pulse = 3600.0

    def __init__(self, template: AppriseUrl) -> None:
        self._template = template

    def send(self, message: Sms, uid: str) -> str:
        """Hand number and text over. Apprise says yes or no, and no more."""
        template = self._template
        words = words_of(message, uid, template.sender, template.values)
        way = apprise.Apprise()
        if not way.add(fill(template.url, words, _quoted)):
            raise RetryLaterError("apprise does not understand the URL")
        if not way.notify(body=message.text):
            raise RetryLaterError("apprise could not send")
        return ""

    def problem(self) -> str | None:
        """Does Apprise understand the URL? Nobody is asked."""
        sample = words_of(
            Sms("+41790000000", "x"), "x", self._template.sender, self._template.values
        )
        understood = apprise.Apprise().add(fill(self._template.url, sample, _quoted))
        return None if understood else "apprise does not understand the URL"

    def tend(self) -> None:
        """Apprise keeps no connection."""

    def abort(self) -> None:
        """Nothing to cut: Apprise has time-outs of its own (`?cto=`, `?rto=`)."""

    def close(self) -> None:
        """Apprise keeps no connection."""


def _quoted(value: str) -> str:
    return quote(value, safe="")
