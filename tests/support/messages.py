"""Messages as the rooms above leave them."""

from typing import Literal

from idp.delivery.messages import Message


def code_message(
    to: str = "someone@example.ch",
    channel: Literal["email", "sms"] = "email",
    template: str = "second-factor",
    locale: str = "fr",
    service: str = "e-services",
) -> Message:
    """A one-time code that is good for ten minutes."""
    words = {"code": "123456", "service": service, "minutes": 10}
    return Message(channel, to, template, locale, words)
