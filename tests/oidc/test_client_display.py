"""What people see of a client (RFC 7591 2, OpenID Connect Dynamic Client Registration 1.0, 2 and 2.1)."""

import pytest

from idp.extensions import settings
from tests.support.accounts import ADDRESS, make_account
from tests.support.agreeing import YES, come_from_others
from tests.support.journey import ISSUER, NEW_PASSWORD

SHOWN = {
    "logo_uri": "https://static.archive.example:8443/logo.svg?v=1",
    "policy_uri": "https://archive.example/privacy",
    "tos_uri": "https://archive.example/terms",
    "localized": {
        "client_name#en": "State archive",
        "client_name#de": "Staatsarchiv",
        "policy_uri#en-GB": "https://archive.example/en/privacy",
        "logo_uri#en": "https://english.example/logo.svg",
    },
}


@pytest.fixture
def archive(person):
    """An application that says all of itself."""
    come_from_others(person, **SHOWN)
    make_account()
    return person


def policy(person):
    """The content security policy of the page that the person is at."""
    return person.browser.get(person.path, base_url=ISSUER).headers["Content-Security-Policy"]


def test_they_are_on_the_page_of_sign_in_and_of_consent(archive):
    for step in ("sign-in", "consent"):
        archive.authorize()
        if step == "consent":
            archive.two_factors(ADDRESS)
        assert archive.step == step
        for words in ("Archives", "Protection des données", "Conditions d’utilisation"):
            assert words in archive.page.text
        for name in ("policy_uri", "tos_uri"):
            assert f'href="{SHOWN[name]}"' in archive.page.source
        assert f'src="{SHOWN["logo_uri"]}"' in archive.page.source


def test_they_are_told_in_the_language_of_the_page(archive):
    archive.authorize(ui_locales="en")
    archive.press("Sign in", identifier=ADDRESS, password=NEW_PASSWORD)
    archive.press("Check the code", code=archive.code())
    assert archive.step == "consent"
    assert "State archive asks for access to your account" in archive.page.text
    assert "https://archive.example/en/privacy" in archive.page.source
    assert "https://english.example/logo.svg" in archive.page.source
    assert SHOWN["tos_uri"] in archive.page.source, "there is no other"


def test_only_these_pages_show_a_picture_of_elsewhere(archive):
    archive.authorize()
    theirs = "img-src 'self' https://static.archive.example:8443;"
    assert theirs in policy(archive)
    archive.press("Se connecter", identifier=ADDRESS, password="wrong")
    assert archive.step == "sign-in"
    archive.two_factors(ADDRESS)
    assert theirs in policy(archive)
    archive.press(YES).get("/account/applications")
    assert "img-src 'self';" in policy(archive)
    assert "logo.svg" not in archive.page.source


def test_a_picture_is_asked_for_without_saying_where_from(archive):
    assert 'referrerpolicy="no-referrer"' in archive.authorize().page.source


def test_a_client_without_a_picture_widens_nothing(person):
    person.authorize()
    assert "img-src 'self';" in policy(person)
    assert 'class="logo"' not in person.page.source
    assert "Protection des données" not in person.page.text


def test_the_head_of_the_page_is_the_houses_and_not_what_others_call_themselves(archive):
    """Whoever asks for an access must not look like whoever keeps the account."""
    archive.authorize()
    head = archive.page.source.partition("</header>")[0].rpartition("<header>")[2]
    assert settings.mail_from_name in head
    assert "Archives" not in head
