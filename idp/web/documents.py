"""The deployment's own terms and privacy notice."""

from dataclasses import dataclass

from idp.extensions import settings
from idp.web import locale


@dataclass(frozen=True)
class Documents:
    """Addresses; empty where there is none. `version` is empty where nobody is asked to accept them."""

    version: str
    terms: str
    privacy: str


def ours(language: str | None = None) -> Documents:
    """In this language, or that of the page."""
    chosen = language or locale.select()
    terms, privacy = (
        url.replace("{locale}", chosen) for url in (settings.terms_url, settings.privacy_url)
    )
    return Documents(settings.terms_version, terms, privacy)
