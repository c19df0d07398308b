"""Discovery (OIDC Discovery 3, RFC 8414) says what is true; the JWK Set has no private member."""

import pytest

from tests.support.journey import ISSUER

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.fixture
def metadata(client):
    return client.get("/.well-known/openid-configuration", base_url=ISSUER).get_json()


def test_it_names_the_issuer_and_what_is_required(metadata):
    assert metadata["issuer"] == ISSUER
    for name in (
        *("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"),
        *("response_types_supported", "subject_types_supported", "end_session_endpoint"),
        "id_token_signing_alg_values_supported",
    ):
        assert metadata[name]


def test_every_endpoint_it_names_is_served(metadata, app):
    served = {rule.rule for rule in app.url_map.iter_rules()}
    for name, value in metadata.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.removeprefix(ISSUER) in served


def test_it_promises_no_more_than_is_there(metadata):
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["response_types_supported"] == ["code"]
    assert "client_credentials" in metadata["grant_types_supported"]
    assert "ES256" in metadata["dpop_signing_alg_values_supported"]
    assert "none" not in metadata["dpop_signing_alg_values_supported"]
    assert metadata["response_modes_supported"] == ["query", "form_post"]
    assert metadata["request_parameter_supported"] is True
    assert metadata["request_uri_parameter_supported"] is False
    assert metadata["claims_parameter_supported"] is True
    assert metadata["authorization_response_iss_parameter_supported"] is True


def test_keys_are_public_and_named(client):
    answer = client.get("/jwks", base_url=ISSUER)
    keys = answer.get_json()["keys"]
    assert {key["alg"] for key in keys} == {"RS256", "ES256"}
    for key in keys:
        assert not PRIVATE & set(key)
        assert key["use"] == "sig"
        assert len(key["kid"]) == 43
    assert len({key["kid"] for key in keys}) == len(keys)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
