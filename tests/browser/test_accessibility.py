"""Axe finds nothing on any page, in both colour schemes; nothing scrolls sideways at 320 px."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.support.browser import NUMBER, PHONE, SMALLEST

AXE = Axe()


def violations(page):
    found = AXE.run(page).response["violations"]
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_way(visitor, scheme):
    person = visitor(color_scheme=scheme, size=PHONE)
    for step in person.first_sign_in(NUMBER):
        assert violations(person.page) == [], step
        if step in {"sign-in", "email", "email-code", "phone", "profile"}:
            send_nonsense(person, step)
            assert person.step == step
            assert violations(person.page) == [], f"{step} with a problem"
    person.press("Se connecter à e-services")
    for step in person.later_sign_in():
        if step:
            assert violations(person.page) == [], step
    person.page.goto(f"{person.demo['issuer']}/authorize")
    assert violations(person.page) == []
    person.page.goto(f"{person.demo['issuer']}/logout")
    assert violations(person.page) == []


def send_nonsense(person, step):
    fields, button = {
        "sign-in": ({"identifier": "personne", "password": "rien"}, "Se connecter"),
        "email": ({"email": "pas une adresse"}, "Recevoir le code"),
        "email-code": ({"code": "000"}, "Vérifier le code"),
        "phone": ({"phone": "12"}, "Recevoir le code"),
        "profile": ({"password": "court", "confirmation": "autre"}, "Mettre à jour le compte"),
    }[step]
    person.fill(**fields).press(button)


def test_nothing_scrolls_sideways_at_320_pixels(visitor):
    person = visitor(size=SMALLEST)
    person.address = f"une.adresse.vraiment.tres.longue.{person.address}"
    sideways = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
    for step in person.first_sign_in(NUMBER):
        assert not person.page.evaluate(sideways), step
    person.press("Se connecter à e-services")
    for step in person.later_sign_in():
        assert not person.page.evaluate(sideways), step


def test_errors_are_announced_and_lead_to_their_field(visitor):
    person = visitor().come()
    person.fill(identifier="personne", password="rien").press("Se connecter")
    summary = person.page.get_by_role("alert")
    assert "Identifiant ou mot de passe incorrect" in summary.inner_text()
    summary.get_by_role("link").click()
    assert person.page.evaluate("() => document.activeElement.name") == "identifier"
    assert person.page.title().startswith("Erreur")
    assert person.page.locator("input[name=identifier]").get_attribute("aria-invalid") == "true"
