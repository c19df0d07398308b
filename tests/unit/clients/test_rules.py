"""Strict registration (RFC 7591 2; RFC 9700 2.1: exact redirect URIs)."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from idp.clients import manage
from idp.clients.registration import Registration
from idp.clients.rules import InvalidRegistrationError, check, check_client_id, check_uri
from idp.extensions import transaction
from tests.support import portal
from tests.support.signing import make_key, public_set

GOOD = Registration("Portail", ("https://portal.example/callback",))


@pytest.mark.parametrize(
    "uri",
    [
        "https://portal.example/callback",
        "https://portal.example:8443/callback?tenant=1",
        "https://portal.example",
        "http://localhost:8001/callback",
        "http://127.0.0.1/callback",
        "http://[::1]:8001/callback",
    ],
)
def test_https_and_loopback_addresses_are_accepted(uri: str) -> None:
    check_uri("redirect_uris", uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "portal.example/callback",
        "//portal.example/callback",
        "http://portal.example/callback",
        "http://localhost.evil.example/callback",
        "http://127.0.0.1.evil.example/",
        "ftp://portal.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "com.example.app:/callback",
        "https:///callback",
        "https://*.portal.example/callback",
        "https://portal.example/*",
        "https://portal.example/callback#part",
        "https://portal.example/callback#",
        "https://user@portal.example/callback",
        "https://user:secret@portal.example/callback",
        "https://@portal.example/callback",
        "https://portal.example\\@evil.example/",
        "https://portal.example/call back",
        "https://portal.example/callback\n",
        "https://portal.example/\x00",
        "https://portal.example/é",
        "https://pörtal.example/",
        "https://portal.example;script-src/",
        "https://portal'.example/",
        "https://portal.example:99999/",
        "https://portal.example:x/",
        "https://[::1/",
        "https://portal.example/" + "a" * 2000,
    ],
)
def test_any_other_address_is_refused_by_the_name_of_its_field(uri: str) -> None:
    with pytest.raises(InvalidRegistrationError) as refused:
        check_uri("redirect_uris", uri)
    assert refused.value.field == "redirect_uris"
    assert "\n" not in str(refused.value)


def test_a_good_registration_passes() -> None:
    check(GOOD)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_name", ""),
        ("client_name", "  "),
        ("client_name", "a" * 101),
        ("client_name", "Port\x1b[31mail"),
        ("redirect_uris", ()),
        ("redirect_uris", ("http://portal.example/",)),
        ("redirect_uris", ("https://portal.example/", "https://portal.example/")),
        ("post_logout_redirect_uris", ("https://portal.example/#x",)),
        ("client_uri", "javascript:alert(1)"),
        ("logo_uri", "data:image/svg+xml,x"),
        ("logo_uri", "https://portal.example;script-src 'unsafe-inline'/logo.svg"),
        ("policy_uri", "http://portal.example/privacy"),
        ("tos_uri", "javascript:alert(1)"),
        ("initiate_login_uri", "http://portal.example/"),
        ("grant_types", ("authorization_code", "implicit")),
        ("grant_types", ("refresh_token",)),
        ("scope", "openid everything"),
        ("scope", "profile"),
        ("scope", ""),
        ("scope", "openid offline_access"),
        ("token_endpoint_auth_method", "client_secret_jwt"),
        ("token_endpoint_auth_signing_alg", "HS256"),
        ("request_object_signing_alg", "HS256"),
        ("jwks_uri", "http://portal.example/jwks"),
        ("id_token_signed_response_alg", "none"),
        ("id_token_signed_response_alg", "HS256"),
        ("default_max_age", -1),
        ("userinfo_max_age", -1),
        ("userinfo_acr_values", ('urn:x", error="y',)),
        ("resources", ("https://nobody.example/",)),
        ("resource_token_format", "saml"),
        ("resource_uri", "http://api.example/"),
        ("resource_uri", "https://api.example/#x"),
        ("grant_types", ("authorization_code", "client_credentials")),
        ("grant_types", ()),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_field(
    app: Flask, field: str, value: object
) -> None:
    with pytest.raises(InvalidRegistrationError) as refused:
        check(replace(GOOD, **{field: value}))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_name#de", ""),
        ("client_name#de", "Port\x1b[31mal"),
        ("tos_uri#de", "javascript:alert(1)"),
        ("logo_uri#de", "//portal.example/logo"),
        ("client_name#", "Portal"),
        ("client_name#de_CH", "Portal"),
        ("client_name#de#fr", "Portal"),
        ("client_name#\x00", "Portal"),
        ("redirect_uris#de", "https://portal.example/"),
        ("scope#de", "openid"),
        ("#de", "Portal"),
        ("client_name#" + "a" * 9, "Portal"),
    ],
)
def test_what_is_said_in_a_language_is_checked_as_strictly(name: str, value: str) -> None:
    with pytest.raises(InvalidRegistrationError) as refused:
        check(replace(GOOD, localized={name: value}))
    assert refused.value.field == name


def test_there_is_an_end_of_languages() -> None:
    many = {f"client_name#x{number}": "Portal" for number in range(51)}
    with pytest.raises(InvalidRegistrationError):
        check(replace(GOOD, localized=many))


def test_each_language_is_served_by_its_tag_whole_or_by_what_it_begins_with() -> None:
    """RFC 7591 2.2, RFC 5646: case does not matter."""
    said = {"client_name#fr-CH": "Portail romand", "client_name#FR": "Portail", "tos_uri#en": "t"}
    client = replace(GOOD, client_name="Portal", localized=said)
    assert client.in_language("fr").client_name == "Portail"
    assert client.in_language("en").client_name == "Portal"
    assert (client.in_language("en").tos_uri, client.in_language("fr").tos_uri) == ("t", "")


API = Registration(
    "API",
    scope="",
    grant_types=(),
    resource_uri="https://api.example/",
    resource_scope="read write",
)


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


@pytest.mark.parametrize("name", ["with space", "a" * 65, "é", "", ":account"])
def test_a_public_name_is_short_and_plain(name: str) -> None:
    with pytest.raises(InvalidRegistrationError) as refused:
        check_client_id(name)
    assert refused.value.field == "client_id"


def test_a_public_client_cannot_do_without_pkce() -> None:
    public = replace(GOOD, token_endpoint_auth_method="none", require_pkce=False)
    with pytest.raises(InvalidRegistrationError) as refused:
        check(public)
    assert refused.value.field == "require_pkce"


def test_offline_access_goes_with_the_refresh_token_grant() -> None:
    grants = ("authorization_code", "refresh_token")
    check(replace(GOOD, scope="openid offline_access", grant_types=grants))


SET = public_set(make_key())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
        ({"request_object_signing_alg": "ES256"}, "jwks"),
        ({"jwks": SET, "jwks_uri": "https://portal.example/jwks"}, "jwks"),
        ({"jwks": {"keys": [make_key().as_dict(private=True)]}}, "jwks"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, "jwks"),
        ({"jwks": {"keys": SET["keys"] * 21}}, "jwks"),
        ({"jwks": {"keys": [1]}}, "jwks"),
        ({"jwks": {}}, "jwks"),
        ({"jwks": {"keys": [{"kty": "EC"}]}, "request_object_signing_alg": "ES256"}, "jwks"),
        ({"request_object_signing_alg": "none"}, "request_object_signing_alg"),
        ({"require_pkce": False}, "require_pkce"),
        ({"require_signed_request_object": True}, "require_signed_request_object"),
    ],
)
def test_what_does_not_go_together_is_refused(
    app: Flask, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRegistrationError) as refused:
        check(replace(GOOD, **changes))
    assert refused.value.field == field


@pytest.mark.parametrize(
    "changes",
    [
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": SET},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://p.example/jwks"},
        {"jwks": {"keys": [*SET["keys"], {"kty": "unheard-of"}]}},
    ],
)
def test_public_keys_may_be_here_or_at_an_address(app: Flask, changes: dict[str, Any]) -> None:
    check(replace(GOOD, **changes))
