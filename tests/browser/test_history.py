"""Back, reload, a second tab, another browser: everybody lands on the right step."""


def advance(person, last):
    for step in person.first_sign_in():
        if step == last:
            return person
    raise AssertionError(f"never came to {last}")


def test_reload_stays(visitor):
    person = visitor()
    for step in person.first_sign_in():
        person.page.reload()
        assert person.step == step


def test_back_shows_a_page_that_still_leads_on(visitor):
    person = advance(visitor(), "phone")
    person.page.go_back()
    person.page.go_back()
    # An old page may come from the browser's memory; whatever is pressed there leads to now.
    person.page.reload()
    assert person.step == "phone"
    person.press("Je ne souhaite pas donner mon numéro de téléphone")
    assert person.step == "profile"
    person.page.go_back()
    person.page.reload()
    assert person.step == "profile"


def test_an_old_page_kept_open_in_a_second_tab_moves_on(visitor):
    person = advance(visitor(), "email")
    old = person.page
    person.page = person.open_tab()
    person.page.goto(old.url)
    person.fill(email=person.address).press("Recevoir le code")
    person.fill(code=person.code()).press("Vérifier le code")
    assert person.step == "email-verified"
    old.locator("input[name=email]").fill("autre@example.ch")
    old.get_by_role("button", name="Recevoir le code").click()
    assert old.locator("main").get_attribute("data-step") == "email-verified"
    assert person.address in old.locator("main").inner_text()


def test_another_browser_keeps_choices_and_asks_for_proofs(visitor):
    first = advance(visitor(), "profile")
    first.context.close()
    second = visitor(like=first)
    second.address = first.address
    second.read_messages = first.read_messages
    second.come()
    second.fill(identifier=first.identifier, password=first.password).press("Se connecter")
    assert second.step == "email"
    assert second.page.locator("input[name=email]").input_value() == first.address
    second.press("Recevoir le code")
    second.fill(code=second.code()).press("Vérifier le code").press("Continuer")
    assert second.step == "phone"
    assert second.page.locator("input[name=phone]").input_value().replace(" ", "") in {
        "+41791234567",
        "0791234567",
    }


def test_the_way_back_from_an_error_leads_to_the_service(visitor):
    person = advance(visitor(), "email")
    person.context.clear_cookies()
    person.page.reload()
    assert person.step == "error"
    person.page.get_by_role("link", name="Recommencer").click()
    assert person.step == "sign-in"
