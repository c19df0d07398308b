"""What people type or old systems answer is text: never SQL, a header, markup or a template."""

import base64
from datetime import timedelta

import pytest

from idp import clock
from idp.accounts.account import Account
from idp.accounts.profile import Profile
from idp.delivery import outbox
from idp.delivery.models import OutboxMessage, OutboxStatus
from idp.extensions import db, transaction
from idp.migration.models import MigrationCase
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD
from tests.support.messages import code_message
from tests.support.people import PASSWORD

SQL = [
    "' OR '1'='1",
    "jeanne'--",
    "jeanne' UNION SELECT 1,'x','x','','','','','','','','',0,0,'md5-salted'--",
    'jeanne"; DROP TABLE users; --',
    "%",
    "j_anne",
    ":identifier",
    "jeanne\\",
]
LDAP = ["*", "jeanne)(uid=*", "jeanne)(|(password=*))", "*)(&", "\\2a"]
HEADERS = [
    "moi@example.ch\r\nBcc: victim@example.ch",
    "moi@example.ch\nBcc: victim@example.ch",
    "moi@example.ch%0aBcc: victim@example.ch",
    "moi@example.ch,victim@example.ch",
    "moi@example.ch;victim@example.ch",
    "<moi@example.ch> <victim@example.ch>",
    '"moi\r\nBcc: victim@example.ch"@example.ch',
    "victim@example.ch\x00@example.ch",
    "moi@example.ch\u2028Bcc: victim@example.ch",
    "moi@[127.0.0.1]",
    "moi@localhost",
]
MARKUP = "<script>alert('x')</script>{{7*191}}"


@pytest.mark.parametrize("identifier", [*SQL, *LDAP])
def test_no_identifier_opens_another_persons_row(person, identifier):
    person.authorize().sign_in(identifier, PASSWORD)
    assert (person.step, person.page.status) == ("sign-in", 422)
    assert person.sign_in("jeanne", PASSWORD).step == "email", "and the old store is whole"


@pytest.mark.parametrize("identifier", SQL)
def test_nor_another_persons_account(person, identifier):
    make_account()
    person.authorize().sign_in(identifier, NEW_PASSWORD)
    assert (person.step, person.page.status) == ("sign-in", 422)
    assert db.session.query(Account).count() == 1


@pytest.mark.parametrize("address", HEADERS)
def test_no_address_reaches_a_second_mailbox(person, inbox, address):
    person.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=address)
    outbox.deliver_due("test")
    assert {message.to for message in inbox.messages} <= {"moi@example.ch"}
    for message in inbox.messages:
        assert message.mail["Bcc"] is None
    if not inbox.messages:
        assert (person.step, person.page.status) == ("email", 422)


def test_what_the_old_system_says_is_shown_as_text(person):
    """An old row can hold anything that anybody once typed."""
    profile = Profile(given_name=MARKUP, family_name=MARKUP, street_address=MARKUP)
    row = make_account(profile=profile)
    assert db.session.get_one(Account, row).given_name == MARKUP
    person.authorize().sign_in("jeanne", PASSWORD).give_email("moi@example.ch")
    case = db.session.query(MigrationCase).one()
    case.profile = profile.as_json()
    db.session.commit()
    person.press("Je ne souhaite pas donner mon numéro de téléphone")
    assert person.step == "profile"
    assert "<script>alert" not in person.page.source
    assert "1337" not in person.page.text
    assert MARKUP in person.page.text


@pytest.mark.parametrize("hint", [MARKUP, 'a@example.ch"><img src=x onerror=alert(1)>'])
def test_what_a_relying_party_hints_is_shown_as_text(person, hint):
    person.authorize(login_hint=hint, ui_locales=hint, nonce=hint)
    assert "<script>alert" not in person.page.source
    assert "<img src=x" not in person.page.source


def test_an_address_with_a_display_name_is_no_address(person):
    person.authorize().sign_in("jeanne", PASSWORD)
    person.press("Recevoir le code", email=f"Jeanne <{ADDRESS}>")
    assert person.page.status == 422


def encoded_word(text):
    """RFC 2047: mail software decodes it, wherever it stands in a header."""
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


@pytest.mark.parametrize(
    "text", ["a\r\n\r\nhttps://evil.example/\r\n", "x\r\nBcc: other@example.ch", "plain"]
)
def test_an_address_that_mail_software_would_decode_is_refused(person, inbox, text):
    person.authorize().sign_in("jeanne", PASSWORD)
    person.press("Recevoir le code", email=f"{encoded_word(text)}@example.ch")
    assert (person.step, person.page.status) == ("email", 422)
    outbox.deliver_due("test")
    assert inbox.messages == []


@pytest.mark.usefixtures("app")
def test_and_were_it_stored_it_would_never_be_written_as_a_header(inbox):
    """Whatever this Python's mail library makes of it: nothing is sent, and nobody else waits."""
    address = f"{encoded_word('a' + chr(13) + chr(10) + 'Bcc: other@example.ch')}@example.ch"
    for to in (address, "honest@example.ch"):
        message = code_message(to)
        with transaction():
            outbox.enqueue(message, expires_at=clock.now() + timedelta(minutes=5), masked="x")
    outbox.deliver_due("test")
    assert [message.to for message in inbox.messages if message.to != address] == [
        "honest@example.ch"
    ]
    assert all(message.mail["Bcc"] is None for message in inbox.messages)
    statuses = {row.status for row in db.session.query(OutboxMessage).order_by(OutboxMessage.id)}
    assert statuses == {OutboxStatus.DEAD, OutboxStatus.SENT}
