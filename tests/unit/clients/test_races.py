"""Administrators who register at the same moment: of what is unique there is one then, too."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from idp.clients import manage, registry
from idp.clients.registration import Registration
from idp.clients.rules import InvalidRegistrationError
from idp.extensions import transaction
from tests.support import portal
from tests.support.together import together

API = Registration("API", (), grant_types=(), scope="", resource_scope="read")
AT_ONCE = 4


def server(number: int, **changes: str) -> Registration:
    """A resource server that has nothing in common with another."""
    own = {"resource_uri": f"https://{number}.example/", "resource_scope": f"read{number}"}
    return replace(API, **{**own, **changes})


def refused(app: Flask, act: Callable[[int], object]) -> list[str]:
    """The field that each of them was refused for, begun at the same moment; of one that was not, nothing."""

    def one(number: int) -> str:
        with app.app_context():
            try:
                with transaction():
                    act(number)
            except InvalidRegistrationError as error:
                return error.field
        return ""

    return sorted(together(AT_ONCE, one))


@pytest.mark.parametrize(
    "common", [{"resource_uri": "https://api.example/"}, {"resource_scope": "read"}], ids=str
)
def test_of_resource_servers_registered_at_once_one_has_what_is_common(
    app: Flask, common: dict[str, str]
) -> None:
    (field,) = common
    found = refused(app, lambda number: manage.create(server(number, **common)))
    assert found == ["", *[field] * (AT_ONCE - 1)]
    assert len(manage.listing()) == 1


def test_of_resource_servers_changed_at_once_one_has_what_is_common(app: Flask) -> None:
    names = [portal.register(server(number)).client_id for number in range(AT_ONCE)]
    registry._cache.forget()
    found = refused(
        app, lambda number: manage.update_client(names[number], {"resource_scope": "read"})
    )
    assert found == ["", *["resource_scope"] * (AT_ONCE - 1)]
