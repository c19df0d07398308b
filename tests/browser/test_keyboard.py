"""The whole road with a keyboard alone."""

from tests.support.journey import NEW_PASSWORD


def type_into(person, **fields):
    """Walk to each field with Tab and type; Enter sends the form."""
    for name, value in fields.items():
        walk_to(person, f'input[name="{name}"]')
        person.page.keyboard.type(value)
    enter(person)


def walk_to(person, selector):
    for _ in range(20):
        if person.page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        person.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {selector} on {person.step}")


def enter(person):
    with person.page.expect_navigation():
        person.page.keyboard.press("Enter")


def press(person, selector):
    walk_to(person, selector)
    enter(person)


def test_the_whole_road(visitor):
    person = visitor()
    person.page.goto(person.demo["portal"])
    press(person, "a.button")
    type_into(person, identifier=person.identifier, password=person.password)
    type_into(person, email=person.address)
    type_into(person, code=person.code())
    press(person, "main button")
    press(person, "button.second")
    type_into(person, password=NEW_PASSWORD, confirmation=NEW_PASSWORD)
    assert person.step == "done"
    press(person, "main button")
    type_into(person, password=NEW_PASSWORD)
    type_into(person, code=person.code())
    person.page.wait_for_url(f"{person.demo['portal']}/")
    assert "Bonjour" in person.page.locator("main").inner_text()


def test_every_control_shows_its_focus(visitor):
    person = visitor().come()
    person.page.wait_for_function("() => document.activeElement.name === 'identifier'")
    seen = {}
    for _ in range(8):
        name, outline = person.page.evaluate(
            "() => [document.activeElement.tagName + (document.activeElement.name || ''),"
            " getComputedStyle(document.activeElement).outlineWidth]"
        )
        seen[name] = outline
        person.page.keyboard.press("Tab")
    seen.pop("BODY", None)
    assert {"INPUTidentifier", "INPUTpassword", "BUTTON", "A"} <= set(seen)
    assert set(seen.values()) == {"3px"}, seen


def test_the_skip_link_leads_to_the_content(visitor):
    person = visitor().come()
    person.page.locator("a.skip").focus()
    assert person.page.locator("a.skip").bounding_box()["x"] >= 0
    person.page.keyboard.press("Enter")
    assert person.page.evaluate("() => document.activeElement.id") == "main"
