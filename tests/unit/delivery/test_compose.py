"""An e-mail as it travels: whole, and with no header but ours."""

from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from idp.delivery.compose import Letterhead, compose
from idp.delivery.messages import Mail

LETTERHEAD = Letterhead("no-reply@example.ch", "e-services", "bounces@example.ch")
MAIL = Mail("someone@example.ch", "Votre code", "Bonjour, 123456", "<p>Bonjour, 123456</p>")


def test_a_message_is_whole():
    mail = message_from_bytes(compose(MAIL, LETTERHEAD, "uid").as_bytes(), policy=policy.default)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == "<uid@example.ch>"
    assert mail["Date"].datetime is not None
    assert str(mail["From"]) == "e-services <no-reply@example.ch>"
    assert mail.get_body(("plain",)).get_content().strip() == MAIL.text
    assert mail.get_body(("html",)).get_content().strip() == MAIL.html


@pytest.mark.parametrize(
    "changed",
    [
        Mail("a@example.ch\r\nBcc: b@example.ch", "s", "t", "h"),
        Mail("a@example.ch", "s\r\nBcc: b@example.ch", "t", "h"),
    ],
)
def test_line_breaks_never_reach_a_header(changed):
    with pytest.raises(ValueError):
        compose(changed, LETTERHEAD, "uid")


HOST = "https://connexion.services-en-ligne.exemple.ch/reminders/"


def test_a_mail_that_can_be_stopped_says_so_on_one_line_however_long():
    """RFC 8058 3.1; RFC 2369 2 knows no encoded words, which a folded line would become."""
    link = HOST + "x" * 43
    written = compose(replace(MAIL, unsubscribe=link), LETTERHEAD, "uid").as_bytes()
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in written
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in written
    assert b"List-" not in compose(MAIL, LETTERHEAD, "uid").as_bytes()


@pytest.mark.parametrize("link", [f"{HOST}\r\nBcc: b@example.ch", f"{HOST}>\nBcc: b@example.ch"])
def test_a_link_cannot_add_headers(link):
    with pytest.raises(ValueError):
        compose(replace(MAIL, unsubscribe=link), LETTERHEAD, "uid")
