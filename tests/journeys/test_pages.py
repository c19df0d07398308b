"""Each page: the notice's labels to the letter, its step, its fields; and where reload, Back and a second
tab lead."""

import re
from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.extensions import db
from idp.migration.models import MigrationCase
from tests.support.accounts import ADDRESS
from tests.support.journey import ISSUER, NEW_PASSWORD, Person
from tests.support.people import PASSWORD
from tests.support.settings import override

REFUSE = "Je ne souhaite pas donner mon numéro de téléphone"
STEPS = (
    *("sign-in", "email", "email-code", "email-verified", "phone", "phone-code", "profile"),
    *("done", "second-factor"),
)


def walk(person):
    """The whole road, page by page."""
    yield person.authorize()
    yield person.sign_in("jeanne", PASSWORD)
    yield person.press("Recevoir le code", email=ADDRESS)
    yield person.press("Vérifier le code", code=person.code(ADDRESS))
    yield person.press("Continuer")
    yield person.press("Recevoir le code", phone="079 123 45 67")
    yield person.press("Vérifier le code", code=person.code("+41791234567"))
    yield person.press("Mettre à jour le compte", password=NEW_PASSWORD, confirmation=NEW_PASSWORD)
    person.press("Se connecter à e-services")
    yield person.sign_in(ADDRESS, NEW_PASSWORD)


def fields_of(page):
    found = {}
    for tag in re.findall(r"<input[^>]*>", page.source):
        values = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if values.get("type") != "hidden":
            found[values["name"]] = values
    return found


EXPECTED = {
    "sign-in": ({"identifier": "username", "password": "current-password"}, {"Se connecter"}),
    "email": ({"email": "email"}, {"Recevoir le code"}),
    "email-code": ({"code": "one-time-code"}, {"Vérifier le code"}),
    "email-verified": ({}, {"Continuer"}),
    "phone": ({"phone": "tel"}, {"Recevoir le code", REFUSE}),
    "phone-code": ({"code": "one-time-code"}, {"Vérifier le code", REFUSE}),
    "profile": (
        {"username": "username", "password": "new-password", "confirmation": "new-password"},
        {"Mettre à jour le compte"},
    ),
    "done": ({}, {"Se connecter à e-services"}),
    "second-factor": ({"code": "one-time-code"}, {"Vérifier le code"}),
}
INPUT_MODES = {"email": "email", "code": "numeric", "phone": "tel"}


def test_every_page_has_its_step_its_fields_and_the_notices_labels(person):
    seen = []
    for at in walk(person):
        fields, buttons = EXPECTED[at.step]
        present = fields_of(at.page)
        assert {name: value["autocomplete"] for name, value in present.items()} == fields
        for name in INPUT_MODES.keys() & present.keys():
            assert present[name]["inputmode"] == INPUT_MODES[name]
        labels = {label for form in at.page.forms for label in form.buttons}
        assert buttons <= labels
        assert at.page.status == 200
        seen.append(at.step)
    assert seen == [*STEPS]


def test_passwords_are_masked_and_may_be_pasted(person):
    """ASVS 5.0, 6.2.6 and 6.2.7."""
    seen = set()
    for at in walk(person):
        for name, field in fields_of(at.page).items():
            secret = name in {"password", "confirmation"}
            assert (field["type"] == "password") is secret
            seen |= {name} if secret else set()
        assert "onpaste" not in at.page.source
    assert seen == {"password", "confirmation"}


def test_progress_is_shown_for_steps_two_to_six_of_the_notice(person):
    numbers = []
    for at in walk(person):
        found = re.search(r"Étape (\d) sur 5", at.page.text)
        numbers.append(found and int(found[1]))
    assert numbers == [None, 1, 2, 3, 4, 4, 5, None, None]


def test_without_a_gateway_there_are_four_steps(app, person):
    with override(app, sms_url=""):
        person.authorize().sign_in("jeanne", PASSWORD)
        assert "Étape 1 sur 4" in person.page.text
        person.give_email("jeanne@example.ch")
        assert "Étape 4 sur 4" in person.page.text


def test_a_case_has_a_number_for_support(person):
    person.authorize().sign_in("jeanne", PASSWORD)
    reference = db.session.query(MigrationCase).one().reference
    assert f"Numéro de votre dossier, pour l’assistance : {reference}" in person.page.text


def test_the_warning_of_the_notice_is_on_the_address_page(person):
    person.authorize().sign_in("jeanne", PASSWORD)
    assert "ne peut être attribuée qu’à une seule personne" in person.page.text
    assert "nouvel identifiant" in person.page.text


def test_reload_and_every_other_steps_address_lead_to_the_derived_step(person):
    for at in walk(person):
        step, base = at.step, at.path.rsplit("/", 1)[0]
        assert at.get(at.path).step == step, "reload"
        for other in STEPS:
            assert at.get(f"{base}/{other}").step == step, f"{other} from {step}"
        assert at.get(base).step == step, "the dispatcher"


def test_no_step_can_be_posted_out_of_turn(person):
    fields = {
        "identifier": "x",
        "password": NEW_PASSWORD,
        "confirmation": NEW_PASSWORD,
        "email": "e@example.ch",
        "phone": "079 123 45 67",
        "code": "123456",
    }
    actions = ("email/change", "phone/change", "phone/refuse", "resend", "channel", "start-over")
    allowed = {
        "email": {"start-over"},
        "email-code": {"email/change", "resend", "start-over"},
        "email-verified": {"email/change", "start-over"},
        "phone": {"phone/refuse", "start-over"},
        "phone-code": {"phone/change", "phone/refuse", "resend", "start-over"},
        "profile": {"email/change", "phone/change", "start-over"},
        "second-factor": {"resend", "channel", "start-over"},
    }
    for at in walk(person):
        step, base = at.step, at.path.rsplit("/", 1)[0]
        for other in {*STEPS, *actions} - {step} - allowed.get(step, set()):
            answer = at.post(f"{base}/{other}", **fields)
            assert answer.status_code == 303, f"{other} from {step}"
            assert answer.headers["Location"].endswith(f"/{step}")
        assert at.get(base).step == step, "nothing moved"


def test_a_second_tab_is_where_the_first_one_is(person):
    for at in walk(person):
        tab = Person(at.app, at.inbox, at.client)
        tab.browser = at.browser
        assert tab.get(at.path).step == at.step


def test_an_interaction_ends_after_an_hour_with_a_way_back(person):
    person.authorize().sign_in("jeanne", PASSWORD)
    with time_machine.travel(clock.now() + timedelta(minutes=61), tick=True):
        person.get(person.path)
    assert (person.step, person.page.status) == ("error", 410)
    assert 'href="https://portal.example/"' in person.page.source


def test_without_its_cookie_an_interaction_is_a_page_with_a_reference(person):
    person.authorize()
    person.browser.delete_cookie("seuil-browser", domain="localhost")
    person.get(person.path)
    assert (person.step, person.page.status) == ("error", 400)
    assert re.search(r"\b[0-9A-F]{8}\b", person.page.text)


def test_another_browsers_interaction_is_nobodys(person, app, inbox, portal):
    person.authorize().sign_in("jeanne", PASSWORD)
    other = Person(app, inbox, portal).authorize()
    other.get(person.path)
    assert (other.step, other.page.status) == ("error", 400)


@pytest.mark.parametrize(
    ("headers", "parameters", "word"),
    [
        ({"Accept-Language": "en-GB,en;q=0.9"}, {}, "Sign in"),
        ({"Accept-Language": "de"}, {}, "Se connecter"),
        ({"Accept-Language": "fr"}, {"ui_locales": "en fr"}, "Sign in"),
        ({"Accept-Language": "en"}, {"ui_locales": "rm fr-CH"}, "Se connecter"),
    ],
)
def test_the_language_is_the_clients_wish_then_the_browsers(person, headers, parameters, word):
    answer = person.browser.get(
        person.authorize_path(**parameters),
        headers=headers,
        base_url=ISSUER,
        follow_redirects=True,
    )
    assert word in answer.get_data(as_text=True)
