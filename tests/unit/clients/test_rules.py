"""Strict registration (RFC 7591 2; RFC 9700 2.1: exact redirect URIs)."""

from dataclasses import replace

import pytest

from idp.clients.manage import NewClient
from idp.clients.rules import InvalidRegistrationError, check, check_uri

GOOD = NewClient("Portail", ("https://portal.example/callback",), client_id="portal")


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
    check(vars(GOOD))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_name", ""),
        ("client_name", "  "),
        ("client_name", "a" * 101),
        ("client_name", "Port\x1b[31mail"),
        ("client_id", "with space"),
        ("client_id", "a" * 65),
        ("client_id", "é"),
        ("redirect_uris", ()),
        ("redirect_uris", ("http://portal.example/",)),
        ("redirect_uris", ("https://portal.example/", "https://portal.example/")),
        ("post_logout_redirect_uris", ("https://portal.example/#x",)),
        ("client_uri", "javascript:alert(1)"),
        ("initiate_login_uri", "http://portal.example/"),
        ("grant_types", ("authorization_code", "implicit")),
        ("grant_types", ("refresh_token",)),
        ("scope", "openid everything"),
        ("scope", "profile"),
        ("scope", ""),
        ("scope", "openid offline_access"),
        ("token_endpoint_auth_method", "private_key_jwt"),
        ("id_token_signed_response_alg", "none"),
        ("id_token_signed_response_alg", "HS256"),
        ("default_max_age", -1),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    with pytest.raises(InvalidRegistrationError) as refused:
        check({**vars(GOOD), field: value})
    assert refused.value.field == field


def test_a_public_client_cannot_do_without_pkce() -> None:
    public = replace(GOOD, token_endpoint_auth_method="none", require_pkce=False)
    with pytest.raises(InvalidRegistrationError) as refused:
        check(vars(public))
    assert refused.value.field == "require_pkce"


def test_offline_access_goes_with_the_refresh_token_grant() -> None:
    grants = ("authorization_code", "refresh_token")
    check(vars(replace(GOOD, scope="openid offline_access", grant_types=grants)))
