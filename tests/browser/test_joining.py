"""«C’est aussi mon compte», and a migration that a link stops, in Chromium: axe, both sizes, no script."""

import re
import sqlite3
from pathlib import Path

import pytest

from tests.browser.test_recovery import clean, click
from tests.support.browser import DESKTOP, PHONE
from tests.support.journey import NEW_PASSWORD

ALSO_MINE = "C’est aussi mon compte"


def one_person(demo, first, second):
    """The old portal knows the second by the names of the first."""
    (store,) = [file for file in Path(demo["state"]).glob("*.db") if "seuil" not in file.name]
    with sqlite3.connect(store) as rows:
        names = "first_name, last_name, birth_date"
        rows.execute(
            f"UPDATE users SET ({names}) = (SELECT {names} FROM users WHERE identifier = ?) "
            "WHERE identifier = ?",
            (first.identifier, second.identifier),
        )
    rows.close()


@pytest.mark.parametrize(
    ("size", "script"), [(DESKTOP, True), (PHONE, False)], ids=["desktop", "phone, no script"]
)
def test_a_second_old_identifier_comes_to_the_account_there_is(visitor, demo, size, script):
    first = visitor(size=size).migrate()
    second = visitor(size=size, java_script_enabled=script)
    second.address, second.read_messages = first.address, first.read_messages
    one_person(demo, first, second)
    second.come().fill(identifier=second.identifier, password=second.password)
    second.press("Se connecter").fill(email=second.address).press("Recevoir le code")
    second.fill(code=second.code()).press("Vérifier le code")
    assert second.step == "email"
    if script:
        clean(second)
    click(second, ALSO_MINE)
    assert second.step == "join"
    second.fill(password="not this one").press("Continuer")
    assert second.page.locator("[aria-invalid=true]").get_attribute("name") == "password"
    if script:
        clean(second)
    second.fill(password=NEW_PASSWORD).press("Continuer")
    second.fill(code=second.code()).press("Vérifier le code")
    second.page.wait_for_url(f"{demo['portal']}/")
    assert re.search(r"Jeanne|Marcel|Lucie|Antoine|Élodie", second.page.inner_text("main"))


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_owner_stops_a_migration(visitor, demo, size):
    thief, owner = visitor(size=size), visitor(size=size)
    (store,) = [file for file in Path(demo["state"]).glob("*.db") if "seuil" not in file.name]
    with sqlite3.connect(store) as rows:
        phone = "UPDATE users SET phone = '079 123 45 67' WHERE identifier = ?"
        rows.execute(phone, (thief.identifier,))
    rows.close()
    thief.come().fill(identifier=thief.identifier, password=thief.password).press("Se connecter")
    thief.fill(email=thief.address).press("Recevoir le code")
    owner.page.goto(demo["issuer"] + thief.link(r"/alert/[\w-]{43}"))
    assert owner.step == "alert"
    clean(owner)
    owner.press("Ce n’est pas moi : arrêter".replace(" :", "\u00a0:"))
    assert owner.step == "alert-stopped"
    clean(owner)
    thief.page.reload()
    assert thief.step == "sign-in"
    assert "a été arrêté" in thief.page.inner_text("main")
    clean(thief)
