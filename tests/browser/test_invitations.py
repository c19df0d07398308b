"""Invitations in Chromium: a code from the command line, at both sizes, with axe, with a keyboard alone."""

import os
import re
import subprocess
import sys

import pytest

from idp.demo.state import State
from tests.browser.test_keyboard import press, type_into
from tests.browser.test_recovery import clean, click
from tests.support.browser import DESKTOP, NUMBER, PHONE, demonstration
from tests.support.journey import NEW_PASSWORD

INVITED = "J’ai un code d’invitation"
CHOSEN = "quatre gros hiboux gris"
_IDP = "import sys; sys.argv[0] = 'idp'; from idp.cli.main import main; main()"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demonstration, with where it keeps its things."""
    folder = tmp_path_factory.mktemp("demo")
    with demonstration(folder) as summary:
        yield {**summary, "state": State(folder)}


def handed_out(person, *command):
    """The code that `idp …` shows."""
    state = person.demo["state"]
    variables = {
        "IDP_ISSUER": person.demo["issuer"],
        "IDP_DATABASE_URL": f"sqlite:///{state.database}",
        "IDP_KEK_FILE": str(state.kek),
        "IDP_LEGACY_SOURCES": str(state.sources),
    }
    shown = subprocess.run(
        [sys.executable, "-c", _IDP, *command, "--reason", "asked at the counter"],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return re.search(r"(?:\w{5}-){3}\w{5}", shown)[0]


def invited(person, code):
    """From the portal to wherever the code leads; a wrong one first."""
    person.come()
    click(person, INVITED)
    clean(person)
    person.fill(invitation="ABCDE").press("Continuer")
    assert person.step == "invitation"
    clean(person)
    person.fill(invitation=code.lower()).press("Continuer")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_newcomer_comes_all_the_way(visitor, size):
    person = visitor(size=size)
    invited(person, handed_out(person, "users", "invite", person.address))
    assert person.page.locator("input[name=email]").input_value() == person.address
    clean(person)
    person.press("Recevoir le code")
    person.fill(code=person.code()).press("Vérifier le code")
    person.press("Continuer")
    person.press("Je ne souhaite pas donner mon numéro de téléphone")
    said = {"given_name": "Nora", "family_name": "Rey", "birthdate": "1.1.2999"}
    both = {"password": NEW_PASSWORD, "confirmation": NEW_PASSWORD}
    person.fill(**said, **both).press("Mettre à jour le compte")
    assert person.step == "profile"
    clean(person)
    assert person.page.locator("input[name=given_name]").input_value() == "Nora"
    person.fill(birthdate="14.03.1990", **both).press("Mettre à jour le compte")
    assert person.step == "done"


def test_back_after_the_mailbox_was_lost(visitor):
    person = visitor(size=PHONE).migrate(NUMBER)
    invited(person, handed_out(person, "users", "recover", person.address))
    # Of the codes so far only the one to the number counts among those of the new address.
    person.address, person.read_messages = f"neuve.{person.address}", 1
    assert person.step == "new-email"
    clean(person)
    person.fill(email=person.address).press("Recevoir le code")
    clean(person)
    person.fill(code=person.code()).press("Vérifier le code")
    assert person.step == "recovery-phone-code"
    person.fill(code=person.code()).press("Vérifier le code")
    person.fill(password=CHOSEN, confirmation=CHOSEN).press("Enregistrer le mot de passe")
    assert person.step == "sign-in"
    assert person.page.locator("input[name=identifier]").input_value() == person.address


def test_an_old_identifier_by_keyboard_and_without_script(visitor):
    person = visitor(java_script_enabled=False)
    code = handed_out(person, "migration", "invite", person.identifier)
    person.come()
    press(person, 'form[action$="/invitation/begin"] button')
    type_into(person, invitation=code)
    assert person.step == "email"
