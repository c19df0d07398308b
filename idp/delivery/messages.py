"""The texts of messages, rendered without a request from `templates/messages/<locale>/`."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from idp import resources
from idp.extensions import settings

LOCALES = ("fr", "en")
PURPOSES = ("email-enrolment", "phone-enrolment", "second-factor", "address-taken")


@dataclass(frozen=True)
class CodeMessage:
    """A one-time code on its way. `purpose` is one of PURPOSES, `service` the relying party's name."""

    channel: Literal["email", "sms"]
    to: str
    code: str
    purpose: str
    locale: str
    service: str


@dataclass(frozen=True)
class Mail:
    """A rendered e-mail."""

    to: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Sms:
    """A rendered SMS, of GSM-7 characters, in one segment (160 septets)."""

    to: str
    text: str


def render(message: CodeMessage) -> Mail | Sms:
    """Write the message in its language; another language than ours becomes the default one."""
    locale = message.locale if message.locale in LOCALES else settings.default_locale
    words = {**asdict(message), **_site()}
    stem = f"messages/{locale}/{message.purpose}"
    if message.channel == "sms":
        return Sms(to=message.to, text=_text(f"{stem}.sms", words))
    subject, _, body = _text(f"{stem}.txt", words).partition("\n\n")
    return Mail(to=message.to, subject=subject, text=body, html=_text(f"{stem}.html", words))


def _site() -> dict[str, object]:
    """The host in the last line of an SMS is what browsers match before they fill a code in."""
    minutes = int(settings.code_lifetime.total_seconds() // 60)
    return {"host": urlsplit(settings.issuer).hostname, "minutes": minutes}


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
