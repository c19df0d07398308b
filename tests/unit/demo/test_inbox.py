"""The demo's inbox, over real SMTP and HTTP."""

import smtplib
from email.message import EmailMessage

import pytest

from idp.demo.inbox import Inbox, create_app, smtp_server
from tests.support.ports import free_port


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def http(inbox):
    return create_app(inbox, "the token").test_client()


def test_mail_arrives_over_smtp_with_both_parts(inbox, http):
    server = smtp_server(inbox, free_port())
    server.start()
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Votre code", "a@example.ch", "b@example.ch"
    mail.set_content("123456")
    mail.add_alternative("<b>123456</b>", subtype="html")
    try:
        with smtplib.SMTP("127.0.0.1", server.port) as connection:
            connection.send_message(mail)
    finally:
        server.stop()
    message = http.get("/api/messages").get_json()[0]
    assert (message["channel"], message["to"]) == ("email", "b@example.ch")
    assert (message["subject"], message["text"].strip()) == ("Votre code", "123456")
    assert "<b>123456</b>" in message["html"]
    assert "Votre code" in http.get("/").get_data(as_text=True)


def test_an_sms_needs_the_token_and_the_newest_comes_first(http):
    def send(text, token="the token"):
        headers = {"Authorization": f"Bearer {token}"}
        return http.post("/sms", json={"to": "+41791234567", "text": text}, headers=headers)

    assert send("one").status_code == 202
    assert send("two").status_code == 202
    assert send("three", "wrong").status_code == 401
    assert http.post("/sms", json={"to": "x"}).status_code == 401
    messages = http.get("/api/messages").get_json()
    assert [message["text"] for message in messages] == ["two", "one"]
    assert set(messages[0]) == {"channel", "to", "subject", "text", "html", "received_at"}


def test_an_sms_shows_its_number_once_and_a_mail_its_address(inbox, http):
    inbox.add("sms", "+41791234567", text="one")
    inbox.add("email", "jeanne@example.ch", subject="Votre code", text="two")
    page = http.get("/").get_data(as_text=True)
    assert page.count("+41791234567") == 1
    assert page.count("jeanne@example.ch") == 1


def test_what_arrives_is_text_on_the_page(inbox, http):
    inbox.add("sms", "+41", text="<script>alert(1)</script>")
    assert "<script>alert" not in http.get("/").get_data(as_text=True)
