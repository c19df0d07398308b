"""A forgotten password, a notice and one's own account, in Chromium: both sizes, axe, a keyboard alone."""

import json
import re
import sqlite3
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from tests.browser.test_accessibility import violations
from tests.browser.test_keyboard import press, type_into, walk_to
from tests.support.browser import DESKTOP, NUMBER, PHONE, SMALLEST
from tests.support.journey import NEW_PASSWORD

CHOSEN = "quatre gros hiboux gris"
FORGOTTEN = "Mot de passe oublié ?"
SIDEWAYS = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
BOTH = {"password": CHOSEN, "confirmation": CHOSEN}
ROAD = [
    "sign-in",
    "recovery",
    "recovery-code",
    "recovery-phone-code",
    "recovery-password",
    "sign-in",
]


def click(person, label):
    """A quiet button, whose label has a space that does not break."""
    person.page.get_by_role("button", name=re.compile(label.replace(" ", r"\s"))).click()
    person.page.wait_for_load_state()


def recovery(person):
    """From the portal to sign-in with the new password; the step of each page on the way."""
    yield person.come().step
    click(person, "Mot de passe oublié")
    yield person.step
    person.fill(email=person.address).press("Recevoir le code")
    yield person.step
    person.fill(code=person.code()).press("Vérifier le code")
    yield person.step
    person.fill(code=person.code()).press("Vérifier le code")
    yield person.step
    person.fill(**BOTH).press("Enregistrer le mot de passe")
    yield person.step


def link(person, word):
    """The newest link «this was not me» to this person whose mail has this word."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{person.demo['inbox']}/api/messages") as answer:
            mine = [m["text"] for m in json.load(answer) if m["to"] == person.address]
        found = [re.search(r"https?://\S+/alert/\S+", text) for text in mine if word in text]
        if found and found[0]:
            return found[0][0]
        time.sleep(0.05)
    raise TimeoutError("no notice came")


@pytest.mark.parametrize(
    ("size", "script"), [(DESKTOP, True), (PHONE, False)], ids=["desktop", "phone, no script"]
)
def test_the_whole_recovery_and_the_sign_in_after_it(visitor, script, size):
    person = visitor(java_script_enabled=script, size=size).migrate(NUMBER)
    assert list(recovery(person)) == ROAD
    assert person.page.locator("input[name=identifier]").input_value() == person.address
    person.fill(password=CHOSEN).press("Se connecter")
    person.fill(code=person.code()).press("Vérifier le code")
    person.page.wait_for_url(f"{person.demo['portal']}/")
    assert "Bonjour" in person.page.locator("main").inner_text()


def clean(person):
    """Nothing for axe in either colour scheme, nothing sideways."""
    for scheme in ("light", "dark"):
        person.page.emulate_media(color_scheme=scheme)
        assert violations(person.page) == [], (person.step, scheme)
    assert not person.page.evaluate(SIDEWAYS), person.step


def test_axe_finds_nothing_on_the_way_and_nothing_scrolls_sideways(visitor):
    person = visitor(size=SMALLEST).migrate(NUMBER)
    nonsense = {
        "recovery-code": ({"code": "000"}, "Vérifier le code"),
        "recovery-phone-code": ({"code": "000"}, "Vérifier le code"),
        "recovery-password": (
            {"password": "court", "confirmation": "autre"},
            "Enregistrer le mot de passe",
        ),
    }
    for step in recovery(person):
        clean(person)
        if step in nonsense:
            fields, button = nonsense[step]
            person.fill(**fields).press(button)
            assert person.step == step
            clean(person)
    alert = link(person, "oublié")
    for step in ("alert", "alert-over"):
        person.page.goto(alert)
        assert person.step == step
        clean(person)
        if step == "alert":
            click(person, "Ce n’est pas moi")
            assert person.step == "alert-blocked"
            clean(person)


def test_a_recovery_with_a_keyboard_alone(visitor):
    person = visitor().migrate("").come()
    press(person, 'form[action$="/recovery/begin"] button')
    type_into(person, email=person.address)
    type_into(person, code=person.code())
    assert person.step == "recovery-password"
    type_into(person, **BOTH)
    assert person.step == "sign-in"


def signed_in(person):
    """At the account, freshly signed in there."""
    person.page.goto(f"{person.demo['issuer']}/account")
    person.fill(identifier=person.address, password=NEW_PASSWORD).press("Se connecter")
    person.fill(code=person.code()).press("Vérifier le code")
    assert person.step == "account"
    return person


def three_days_later(person):
    """Contacts are held after a migration; the demonstration's clock cannot be turned."""
    with closing(sqlite3.connect(Path(person.demo["state"]) / "seuil.db")) as database, database:
        database.execute("UPDATE account SET contacts_held_until = NULL")


def test_axe_finds_nothing_on_the_pages_of_the_account(visitor):
    person = signed_in(visitor(size=SMALLEST).migrate(""))
    issuer = person.demo["issuer"]
    looks = [
        ("", {}, ""),
        ("/password", {"present": "faux", **BOTH}, "Enregistrer le mot de passe"),
        ("/phone", {"phone": "12"}, "Recevoir le code"),
        ("/email", {"email": "rien"}, "Recevoir le code"),
        ("/email", {"email": f"neuve.{person.address}"}, "Recevoir le code"),
        ("/email", {"email": f"neuve.{person.address}"}, "Recevoir le code"),
    ]
    for number, (path, fields, button) in enumerate(looks, start=1):
        if number == len(looks):
            three_days_later(person)
        person.page.goto(f"{issuer}/account{path}")
        clean(person)
        if fields:
            person.fill(**fields).press(button)
            clean(person)
    assert person.step == "account-email-code"


def test_the_password_is_changed_with_a_keyboard_alone(visitor):
    person = signed_in(visitor().migrate(""))
    walk_to(person, 'a[href="/account/password"]')
    with person.page.expect_navigation():
        person.page.keyboard.press("Enter")
    type_into(person, present=NEW_PASSWORD, **BOTH)
    assert person.step == "sign-in"
    assert "Votre mot de passe est changé" in person.page.locator("main").inner_text()
