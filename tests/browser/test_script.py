"""What the script adds: a countdown, a look at the password, one submission instead of two."""

import re

from tests.browser.test_history import advance


def test_the_countdown_counts(visitor):
    person = advance(visitor(), "email-code")
    line = person.page.locator("[data-countdown]")
    before = int(re.search(r"(\d+)", line.inner_text())[1])
    person.page.wait_for_function(
        "before => Number(document.querySelector('[data-countdown]').innerText.match(/\\d+/)[0])"
        " <= before - 2",
        arg=before,
    )


def test_the_password_can_be_looked_at_and_is_hidden_again(visitor):
    person = visitor().come()
    field = person.page.locator("input[name=password]")
    field.fill("un secret")
    person.press("Afficher : Mot de passe")
    assert field.get_attribute("type") == "text"
    person.page.get_by_role("button", name="Masquer : Mot de passe").click()
    assert field.get_attribute("type") == "password"


def test_a_double_click_sends_once(visitor):
    person = visitor().come()
    posts = []
    person.page.on("request", lambda r: posts.append(r.url) if r.method == "POST" else None)
    person.fill(identifier=person.identifier, password=person.password)
    person.page.get_by_role("button", name="Se connecter").dblclick()
    person.page.wait_for_selector("main[data-step=email]")
    assert len(posts) == 1


def test_focus_is_where_the_work_is(visitor):
    person = visitor().come()
    person.page.wait_for_function("() => document.activeElement.name === 'identifier'")
    person.fill(identifier="personne", password="rien").press("Se connecter")
    person.page.wait_for_function("() => document.activeElement.className === 'summary'")
