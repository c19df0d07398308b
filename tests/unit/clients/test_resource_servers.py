"""Resource servers: what they can be, and that no two have an address or a scope in common."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from idp.clients import manage, registry
from idp.clients.registration import Registration
from idp.clients.rules import InvalidRegistrationError, check
from idp.extensions import transaction
from tests.support import portal
from tests.support.together import together

GOOD = Registration("Portail", ("https://portal.example/callback",))
API = Registration(
    "API",
    scope="",
    grant_types=(),
    resource_uri="https://api.example/",
    resource_scope="read write",
)
AT_ONCE = 4


def test_a_resource_server_need_not_sign_anybody_in(app: Flask) -> None:
    check(API)
    check(replace(API, resource_token_lifetime=43200))
    check(replace(API, resource_scope_words={"read": "x" * 100, "write#de-CH": "schreiben"}))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("resource_scope", {"resource_scope": "read email"}),
        ("resource_scope", {"resource_scope": " "}),
        ("resource_scope", {"resource_scope": 'read "'}),
        ("resource_scope", {"resource_scope": "é"}),
        ("resource_scope", {"resource_scope": "x" * 1001}),
        ("resource_scope_words", {"resource_scope_words": {"erase": "erase"}}),
        ("resource_scope_words", {"resource_scope_words": {"read#": "read"}}),
        ("resource_scope_words", {"resource_scope_words": {"read#e n": "read"}}),
        ("resource_scope_words", {"resource_scope_words": {"read": " "}}),
        ("resource_scope_words", {"resource_scope_words": {"read": "x" * 101}}),
        ("resource_scope_words", {"resource_scope_words": {"read": "a\x1b[31m"}}),
        ("resource_token_lifetime", {"resource_token_lifetime": 29}),
        ("resource_token_lifetime", {"resource_token_lifetime": 43201}),
        ("resource_uri", {"resource_uri": "", "resource_token_lifetime": 60}),
        ("scope", {"scope": "openid"}),
        ("grant_types", {"grant_types": ("refresh_token",)}),
        ("grant_types", {"grant_types": ("client_credentials",)}),
        ("grant_types", {"redirect_uris": ("https://api.example/cb",)}),
        ("subject_type", {"subject_type": "pairwise", "resource_uri": ""}),
    ],
    ids=str,
)
def test_what_a_resource_server_cannot_be(
    app: Flask, field: str, changes: dict[str, object]
) -> None:
    with pytest.raises(InvalidRegistrationError) as refused:
        check(replace(API, **changes))
    assert refused.value.field == field


def test_scopes_are_ours_or_those_of_its_resource_servers(app: Flask) -> None:
    portal.register(replace(API, resource_scope="read"))
    check(replace(GOOD, scope="openid read", resources=(API.resource_uri,)))
    for changes in (
        {"scope": "openid write", "resources": (API.resource_uri,)},
        {"scope": "openid read"},
    ):
        with pytest.raises(InvalidRegistrationError) as refused:
            check(replace(GOOD, **changes))
        assert refused.value.field == "scope"


def test_a_public_client_has_no_token_of_its_own(app: Flask) -> None:
    portal.register(API)
    grants = ("authorization_code", "client_credentials")
    new = replace(GOOD, grant_types=grants, resources=(API.resource_uri,))
    check(new)
    with pytest.raises(InvalidRegistrationError) as refused:
        check(replace(new, token_endpoint_auth_method="none"))
    assert refused.value.field == "grant_types"


def test_two_resource_servers_have_neither_address_nor_scope_in_common(app: Flask) -> None:
    first = portal.register(API)
    other = "https://other.example/"
    for changes, field in (({}, "resource_uri"), ({"resource_uri": other}, "resource_scope")):
        with pytest.raises(InvalidRegistrationError) as refused:
            portal.register(replace(API, **changes))
        assert refused.value.field == field
    with transaction():
        manage.update_client(first.client_id, {"resource_scope": "read"})


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


def test_a_scope_whose_name_looks_like_a_language_says_nothing_of_another() -> None:
    words = {"read": "tout lire", "read#en": "see nothing", "read#de": "alles lesen"}
    api = replace(API, resource_scope="read read#en", resource_scope_words=words)
    assert [api.words_of("read", locale) for locale in ("fr", "en", "de")] == [
        *("tout lire", "tout lire", "alles lesen"),
    ]
    assert api.words_of("read#en", "fr") == "see nothing"
