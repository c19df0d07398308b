"""An application of others, and people who agree that it learns something of them."""

from dataclasses import replace
from typing import Any

from idp.clients import manage
from idp.extensions import transaction
from idp.grants import consents
from tests.support.journey import Person
from tests.support.portal import PORTAL, TestClientApp, register

YES, NO = "Donner l’accès", "Refuser"
OTHERS = replace(
    PORTAL,
    client_name="Archives",
    first_party=False,
    policy_uri="https://archive.example/privacy",
    tos_uri="https://archive.example/terms",
)


def come_from_others(person: Person, **changes: Any) -> TestClientApp:
    """From now on the person comes from an application that is not of the house."""
    person.client = register(replace(OTHERS, **changes))
    return person.client


def change_client(person: Person, **changes: Any) -> None:
    """The operator changes the registration of where the person comes from."""
    with transaction():
        manage.update_client(person.client.client_id, changes)


def agreed(person: Person, account: int) -> set[str]:
    """What is written down that the account agreed to there."""
    return set(consents.agreed(account, person.client.row_id))
