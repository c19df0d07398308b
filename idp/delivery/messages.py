"""The texts of messages, rendered without a request from `templates/messages/<locale>/`."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from idp import resources
from idp.extensions import settings

LOCALES = ("fr", "en")


@dataclass(frozen=True)
class CodeMessage:
    """A one-time code on its way: `purpose` names the templates, `service` the relying party, and the
    code is good for `minutes` more."""

    channel: Literal["email", "sms"]
    to: str
    code: str
    purpose: str
    locale: str
    service: str
    # What waited before this field was known was good for so long.
    minutes: int = 10


@dataclass(frozen=True)
class Mail:
    """A rendered e-mail."""

    to: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Sms:
    """A rendered SMS, of GSM-7 characters; in one segment (160 septets) unless the issuer's host is long."""

    to: str
    text: str


def render(message: CodeMessage) -> Mail | Sms:
    """Write the message in its language; another language than ours becomes the default one."""
    locale = message.locale if message.locale in LOCALES else settings.default_locale
    # The host in the last line of an SMS is what browsers match before they fill a code in.
    words = {**asdict(message), "host": urlsplit(settings.issuer).hostname}
    stem = f"messages/{locale}/{message.purpose}"
    if message.channel == "sms":
        return Sms(to=message.to, text=_text(f"{stem}.sms", words))
    subject, _, body = _text(f"{stem}.txt", words).partition("\n\n")
    return Mail(to=message.to, subject=subject, text=body, html=_text(f"{stem}.html", words))


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
