"""From the portal's button and back to it, in Chromium, as a person would."""

from urllib.parse import urlencode

import pytest

from tests.support.browser import DESKTOP, NUMBER, PHONE

FIRST = ["sign-in", "email", "email-code", "email-verified", "phone", "profile", "done"]
FIRST_BY_SMS = [*FIRST[:5], "phone-code", *FIRST[5:]]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_from_portal_to_portal(visitor, script, size):
    person = visitor(java_script_enabled=script, size=size)
    assert list(person.first_sign_in(NUMBER)) == FIRST_BY_SMS
    person.press("Se connecter à e-services")
    assert person.page.locator("input[name=identifier]").input_value() == person.address
    assert list(person.later_sign_in()) == ["sign-in", "second-factor", ""]
    text = person.page.locator("main").inner_text()
    assert "Bonjour" in text
    assert person.address in text
    assert "urn:seuil:acr:sms" in text


def test_without_a_phone_then_out_and_in_again(visitor):
    person = visitor()
    assert list(person.first_sign_in("")) == FIRST
    person.press("Se connecter à e-services")
    list(person.later_sign_in())

    person.page.get_by_role("link", name="Se déconnecter").click()
    assert person.page.url == f"{person.demo['portal']}/"
    person.page.get_by_role("link", name="Se connecter").click()
    assert list(person.later_sign_in()) == ["sign-in", "second-factor", ""]
    assert "urn:seuil:acr:email" in person.page.locator("main").inner_text()


def test_a_signed_in_browser_is_let_in_at_once(visitor):
    person = visitor().migrate().press("Se connecter à e-services")
    list(person.later_sign_in())
    person.context.clear_cookies(name="portal-session")
    person.come()
    assert person.page.url == f"{person.demo['portal']}/"
    assert "Bonjour" in person.page.locator("main").inner_text()


def test_signing_out_asks_first_without_a_hint_and_still_leads_back(visitor):
    person = visitor().migrate().press("Se connecter à e-services")
    list(person.later_sign_in())
    asked = {
        "client_id": person.demo["client"]["client_id"],
        "post_logout_redirect_uri": f"{person.demo['portal']}/",
    }
    person.page.goto(f"{person.demo['issuer']}/logout?{urlencode(asked)}")
    assert person.step == "logout"
    person.press("Se déconnecter")
    person.page.wait_for_url(f"{person.demo['portal']}/**")
    person.context.clear_cookies(name="portal-session")
    person.come()
    assert person.step == "sign-in"


EXPECTED = {
    "sign-in": {
        "identifier": ("text", "username", None),
        "password": ("password", "current-password", None),
    },
    "email": {"email": ("email", "email", "email")},
    "email-code": {"code": ("text", "one-time-code", "numeric")},
    "phone": {"phone": ("tel", "tel", "tel")},
    "phone-code": {"code": ("text", "one-time-code", "numeric")},
    "profile": {
        "password": ("password", "new-password", None),
        "confirmation": ("password", "new-password", None),
    },
}


def test_fields_tell_browsers_what_they_are(visitor):
    person = visitor(java_script_enabled=False)
    found = {}
    for step in person.first_sign_in(NUMBER):
        inputs = person.page.locator("main input:visible").all()
        fields = {
            field.get_attribute("name"): (
                field.get_attribute("type"),
                field.get_attribute("autocomplete"),
                field.get_attribute("inputmode"),
            )
            for field in inputs
        }
        if fields:
            found[step] = fields
    assert found == EXPECTED
