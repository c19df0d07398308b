"""The texts of messages, rendered without a request from `templates/messages/<locale>/`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from idp import resources
from idp.extensions import settings
from idp.options import LOCALES


@dataclass(frozen=True)
class Message:
    """A message on its way: which text, in which language, to whom, and the words to fill in.

    `template` names the files under `templates/messages/<locale>/`; `words` hold plain values only.
    """

    channel: Literal["email", "sms"]
    to: str
    template: str
    locale: str
    words: Mapping[str, str | int]


@dataclass(frozen=True)
class Mail:
    """A rendered e-mail."""

    to: str
    subject: str
    text: str
    html: str
    unsubscribe: str = ""
    """Link that stops mails of this kind, also without a person (RFC 8058)."""


@dataclass(frozen=True)
class Sms:
    """A rendered SMS, of GSM-7 characters; in one segment (160 septets) unless the issuer's host is long."""

    to: str
    text: str


def render(message: Message) -> Mail | Sms:
    """Write the message in its language; another language than ours becomes the default one.

    Every e-mail ends with how to reach support, where the deployment says so.
    """
    locale = message.locale if message.locale in LOCALES else settings.default_locale
    # The host in the last line of an SMS is what browsers match before they fill a code in.
    host = urlsplit(settings.issuer).hostname
    words: dict[str, object] = {**message.words, "locale": locale, "host": host}
    words["contact"] = settings.support_contact
    stem = f"messages/{locale}/{message.template}"
    if message.channel == "sms":
        return Sms(to=message.to, text=_text(f"{stem}.sms", words))
    words["foot"] = foot = _text(f"messages/{locale}/foot.txt", words)
    subject, _, body = _text(f"{stem}.txt", words).partition("\n\n")
    return Mail(
        to=message.to,
        subject=subject,
        text=f"{body}\n\n{foot}".strip(),
        html=_text(f"{stem}.html", words),
        unsubscribe=str(message.words.get("unsubscribe", "")),
    )


def _text(name: str, words: dict[str, object]) -> str:
    return _environment().get_template(name).render(words).strip()


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(resources.folder("templates")),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
