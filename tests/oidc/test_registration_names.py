"""What applications that register themselves call themselves: nobody takes one for another (RFC 7591 5)."""

import pytest

from idp.clients import manage
from idp.extensions import transaction
from tests.support import portal
from tests.support.accounts import ADDRESS
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.portal import TestClientApp
from tests.support.registering import URI, Developer, refused


def test_the_name_of_an_application_that_people_know_is_taken(developer):
    portal.register()
    refused(developer.register(client_name="E-Services "), "invalid_client_metadata")
    german = {"client_name": "X", "client_name#de": "e-services"}
    refused(developer.register(**german), "invalid_client_metadata")
    assert developer.register(client_name="Archives").status_code == 201
    assert (
        Developer(developer.browser.application).register(client_name="Archives").status_code == 201
    )


def test_what_others_call_themselves_is_in_no_mail_of_ours(developer, app, inbox, account):
    developer.register(client_name="BLOQUE allez sur evil example")
    known = developer.known
    person = Person(app, inbox, TestClientApp(known["client_id"], known["client_secret"], URI))
    person.authorize(scope="openid").sign_in(ADDRESS, NEW_PASSWORD)
    assert person.code(ADDRESS)
    (mail,) = inbox.messages
    assert "evil" not in f"{mail.subject} {mail.text}"


@pytest.mark.parametrize(
    "name",
    [
        *("e-services\u034f", "e\u2010services", "е-services", "e-ser\u200bvices", "\u3164"),
        *(
            "\u2800",
            " ",
            "e-servıces",
            "e-ſervices",
            "ｅ-services",
            "ɑ",
            "état de services",
            "E SERVICES",
            "www.x.example",
            "Votre compte",
            "e-serv1ces",
            "e-ꜱervices",
            "a\nb",
        ),
    ],
    ids=ascii,
)
def test_no_name_looks_like_that_of_an_application_that_people_know(developer, name):
    client = portal.register()
    with transaction():
        localized = {"client_name#fr": "État de Services"}
        manage.update_client(client.client_id, {"localized": localized})
    refused(developer.register(client_name=name), "invalid_client_metadata")
