"""Strict registration (RFC 7591 2; RFC 9700 2.1: exact redirect URIs)."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from idp.clients.registration import Registration
from idp.clients.rules import InvalidRegistrationError, check, check_client_id, check_uri
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


def test_there_is_an_end_of_languages(app: Flask) -> None:
    many = {f"client_name#fr-{number}": "Portal" for number in range(100, 150)}
    check(replace(GOOD, localized=many))
    with pytest.raises(InvalidRegistrationError, match="50 texts") as refused:
        check(replace(GOOD, localized={**many, "client_name#de": "Portal"}))
    assert refused.value.field == "localized"


def test_there_is_an_end_of_a_scope(app: Flask) -> None:
    longest = " ".join(["openid"] * 143)
    assert len(longest) == 1000
    check(replace(GOOD, scope=longest))
    with pytest.raises(InvalidRegistrationError, match="1000 characters") as refused:
        check(replace(GOOD, scope=f"{longest} "))
    assert refused.value.field == "scope"


def test_each_language_is_served_by_its_tag_whole_or_by_what_it_begins_with() -> None:
    """RFC 7591 2.2, RFC 5646: case does not matter."""
    said = {"client_name#fr-CH": "Portail romand", "client_name#FR": "Portail", "tos_uri#en": "t"}
    client = replace(GOOD, client_name="Portal", localized=said)
    assert client.in_language("fr").client_name == "Portail"
    assert client.in_language("en").client_name == "Portal"
    assert (client.in_language("en").tos_uri, client.in_language("fr").tos_uri) == ("t", "")


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
