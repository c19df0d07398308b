"""The page that asks for consent and the list of applications, in Chromium: axe, both sizes, no script."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from idp.clients import registry
from tests.browser.test_recovery import SIDEWAYS, clean
from tests.support.agreeing import NO, YES
from tests.support.browser import DESKTOP, SMALLEST
from tests.support.journey import NEW_PASSWORD

NAME = "Archives de la Ville et Landesbibliotheksverwaltungsgemeinschaftsamt"
"""One word of it is wider than the smallest screen."""


@pytest.fixture
def others(demo):
    """The portal is an application of others, and its logo is on its own server."""
    (file,) = Path(demo["state"]).glob("seuil*.db")
    changed = {"client_name": NAME, "logo_uri": f"{demo['portal']}/logo.svg"}
    changed |= {"policy_uri": f"{demo['portal']}/privacy", "tos_uri": f"{demo['portal']}/terms"}
    with closing(sqlite3.connect(file)) as rows, rows:
        for name, value in changed.items():
            place = (f"$.{name}", value)
            rows.execute("UPDATE client SET registration = json_set(registration, ?, ?)", place)
        house = "json_set(registration, '$.first_party', json('false'))"
        rows.execute(f"UPDATE client SET registration = {house}")
    registry._cache.forget()


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    ("size", "script"),
    [(DESKTOP, True), (SMALLEST, False)],
    ids=["desktop", "smallest, no script"],
)
def test_a_person_refuses_agrees_and_takes_it_back(visitor, demo, size, script):
    person = visitor(size=size, java_script_enabled=script).migrate()
    person.press(f"Se connecter à {NAME}")
    person.fill(identifier=person.address, password=NEW_PASSWORD).press("Se connecter")
    person.fill(code=person.code()).press("Vérifier le code")
    assert person.step == "consent"
    if script:
        clean(person)
    assert not person.page.evaluate(SIDEWAYS)
    person.press(NO).page.wait_for_url(f"{demo['portal']}/**")
    person.come()
    assert person.step == "consent"
    person.press(YES).page.wait_for_url(f"{demo['portal']}/")
    person.page.goto(f"{demo['issuer']}/account/applications")
    if script:
        clean(person)
    assert not person.page.evaluate(SIDEWAYS)
    person.press("Retirer l’accès")
    assert "aucune application" in person.page.inner_text("main")
    if script:
        clean(person)
