"""The journey of DESIGN 3, through the forms, without a browser."""

from idp.extensions import db
from idp.sessions.models import Authentication
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD


def test_a_legacy_user_becomes_an_account_and_comes_back_with_a_code(person):
    person.authorize()
    assert person.step == "sign-in"
    person.sign_in("jeanne", PASSWORD)
    assert person.step == "email"
    person.press("Recevoir le code", email="jeanne@example.ch")
    assert person.step == "email-code"
    person.press("Vérifier le code", code=person.code("jeanne@example.ch"))
    assert person.step == "email-verified"
    person.press("Continuer")
    assert person.step == "phone"
    person.press("Recevoir le code", phone="079 123 45 67")
    assert person.step == "phone-code"
    person.press("Vérifier le code", code=person.code("+41791234567"))
    assert person.step == "profile"
    assert "Jeanne Favre" in person.page.text
    person.press("Mettre à jour le compte", password=NEW_PASSWORD, confirmation=NEW_PASSWORD)
    assert person.step == "done"
    person.press("Se connecter à e-services")
    assert person.step == "sign-in"
    assert db.session.query(Authentication).count() == 0
    person.sign_in("jeanne@example.ch", NEW_PASSWORD)
    assert person.step == "second-factor"
    person.press("Vérifier le code", code=person.code("+41791234567"))
    assert person.callback["state"] == "the state"
    assert person.callback["iss"] == "http://localhost:8000"
    assert person.callback["code"]
