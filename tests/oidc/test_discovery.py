"""Discovery (OIDC Discovery 3, RFC 8414) says what is true; the JWK Set has no private member."""

import pytest

from idp.extensions import transaction
from idp.keys import signing
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


@pytest.fixture(params=["/jwks", "/.well-known/openid-configuration"])
def tagged(request, client):
    """GET a document, with the tag of what one has."""

    def get(tag=None):
        headers = {"If-None-Match": tag} if tag else {}
        return client.get(request.param, base_url=ISSUER, headers=headers)

    return get


def test_whoever_has_it_already_is_told_so_and_may_keep_it_on(tagged):
    """RFC 9110 13.1.2, 15.4.5: the answer renews what a cache holds."""
    tag = tagged().headers["ETag"]
    for sent in (tag, f'"other", {tag}', "*"):
        answer = tagged(sent)
        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert answer.headers["ETag"] == tag


@pytest.mark.parametrize("tag", ['"other"', "W/", '"', "é", "x" * 9000])
def test_whoever_has_something_else_gets_it_whole(tagged, tag):
    answer = tagged(tag)
    assert answer.status_code == 200
    assert answer.get_json()


def test_another_key_is_another_document(client):
    def get(tag=""):
        return client.get("/jwks", base_url=ISSUER, headers={"If-None-Match": tag})

    before = get().headers["ETag"]
    with transaction():
        added = signing.create(signing.new_pair("EdDSA")).kid
    try:
        assert get(before).status_code == 200
    finally:
        with transaction():
            signing.retire(added)
    assert get(before).status_code == 304
