"""«Mot de passe oublié ?», as a person goes through it."""

from idp.challenges.challenge import Challenge
from idp.challenges.issue import code_of
from idp.extensions import db
from tests.support.accounts import ADDRESS
from tests.support.journey import Person

FORGOTTEN = "Mot de passe oublié ?"
SAVE = "Enregistrer le mot de passe"
CHOSEN = "quatre gros hiboux gris"


def ask(person: Person, address: str = ADDRESS) -> Person:
    """From the relying party to the page that waits for the code."""
    return person.authorize().press(FORGOTTEN).press("Recevoir le code", email=address)


def enter(person: Person, to: str = ADDRESS) -> Person:
    """The code that went there."""
    return person.press("Vérifier le code", code=person.code(to))


def choose(person: Person, password: str = CHOSEN) -> Person:
    """The new password."""
    return person.press(SAVE, password=password, confirmation=password)


def wrong_code(person: Person) -> str:
    """Not the awaited one, whoever's it is."""
    here = person.path.split("/")[2]
    row = db.session.query(Challenge).filter_by(interaction_id=here, closed_at=None).one()
    right = code_of(row.secret, row.counter)
    return f"{(int(right) + 1) % 10**6:06}"
