"""The table of checks behind a trusted redirect URI (OIDC Core 3.1.2.1, RFC 6749 4.1.2.1, RFC 9207)."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from tests.oidc.conftest import told
from tests.support.accounts import ADDRESS
from tests.support.journey import ISSUER

ERRORS = [
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": "none"}, "unsupported_response_type"),
    ({"response_type": '\u00e9"\\'}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"scope": None}, "invalid_scope"),
    ({"scope": "profile"}, "invalid_scope"),
    ({"scope": ""}, "invalid_scope"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "sing"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "soon"}, "invalid_request"),
    ({"max_age": "9" * 30}, "invalid_request"),
    ({"request": "x.y.z"}, "request_not_supported"),
    ({"request_uri": "https://portal.example/r"}, "request_uri_not_supported"),
    ({"id_token_hint": "x.y.z"}, "invalid_request"),
    ({"nonce": "n" * 3000}, "invalid_request"),
    ({"nonce": "a\x00b"}, "invalid_request"),
    ({"scope": ["openid", "openid"]}, "invalid_request"),
    ({"state": ["a", "b"]}, "invalid_request"),
    ({"unheard_of": ["a", "b"]}, "invalid_request"),
    ({"prompt": "none"}, "login_required"),
]


@pytest.mark.parametrize(("changes", "error"), ERRORS, ids=range(len(ERRORS)))
def test_each_mistake_is_told_to_the_client_with_state_and_issuer(ask, changes, error, person):
    answer = ask(**changes)
    if answer.headers.get("Location", "").startswith("/authorize/"):
        answer = person.browser.get(answer.headers["Location"], base_url=ISSUER)
    said = told(answer)
    assert said["error"] == error
    assert said["iss"] == ISSUER
    assert said.get("state") == (None if "state" in changes else "a state")


def test_a_good_request_leads_to_sign_in(ask):
    answer = ask()
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(("/interaction/", "/authorize/"))


def test_unknown_parameters_and_scopes_are_ignored(person, account):
    person.authorize(scope="openid email unheard_of", colour="blue").two_factors(ADDRESS)
    assert person.callback["code"]


@pytest.mark.parametrize("name", ["state", "nonce", "login_hint", "ui_locales", "acr_values"])
def test_what_is_only_carried_may_hold_any_printable_text(ask, name):
    answer = ask(**{name: 'é "quotes" <b> & = ; 漢字'})
    assert answer.headers["Location"].startswith("/")


PARAMETERS = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "prompt"),
    *("max_age", "login_hint", "id_token_hint", "ui_locales", "acr_values", "display"),
    *("code_challenge", "code_challenge_method", "response_mode", "request", "claims"),
)


@limits(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(PARAMETERS), value=st.text(max_size=60) | st.binary(max_size=40))
def test_no_bytes_in_any_parameter_give_a_5xx(ask, name, value):
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    text = text.encode("utf-8", "replace").decode()
    assert ask(**{name: text}).status_code < 500


@pytest.mark.parametrize(
    "query", ["%", "%ff%fe", "client_id=%00", "client_id=%ff&redirect_uri=%ff"]
)
def test_raw_bytes_in_the_query_give_a_page(client, query):
    answer = client.get(f"/authorize?{query}", base_url=ISSUER)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_the_login_hint_is_filled_in(person, account):
    person.authorize(login_hint=ADDRESS)
    assert person.page.forms[0].fields["identifier"] == ADDRESS
