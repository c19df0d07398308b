"""Answers by form in a real browser: it submits itself, or has a button where there is no script."""

import pytest

from idp.clients.registration import Registration
from tests.support import portal
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.receiver import receiving
from tests.support.server import serving


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_answer_arrives(browser, app, inbox, script):
    make_account()
    with receiving() as receiver, serving(app.extensions["seuil.settings"], workers=1) as url:
        client = portal.register(Registration("Party", (receiver.url,)))
        person = Person(app, inbox, client, url)
        context = browser.new_context(java_script_enabled=script, locale="fr-CH")
        page = context.new_page()
        complaints = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else 0)
        page.goto(url + person.authorize_path(response_mode="form_post", state="é & <b>"))
        page.locator("input[name=identifier]").fill(ADDRESS)
        page.locator("input[name=password]").fill(NEW_PASSWORD)
        page.get_by_role("button", name="Se connecter", exact=True).click()
        page.locator("input[name=code]").fill(person.code())
        page.get_by_role("button", name="Vérifier le code").click()
        if not script:
            page.get_by_role("button", name="Continuer").click()
        page.wait_for_url(receiver.url)
        context.close()
    (form,) = receiver.forms
    assert set(form) == {"code", "state", "iss"}
    assert form["state"] == "é & <b>"
    # The receiver has no icon.
    assert [text for text in complaints if "status of 501" not in text] == []
