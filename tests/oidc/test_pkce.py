"""Proof Key for Code Exchange (RFC 7636, RFC 9700 2.1.1): S256, for every client, never less."""

import pytest

from idp.clients import manage
from idp.clients.rules import InvalidRegistrationError
from idp.extensions import transaction
from tests.oidc.conftest import CHALLENGE, told
from tests.support.accounts import ADDRESS
from tests.support.settings import override
from tests.support.tokens import ask_token, redeem


@pytest.fixture
def allowed(app):
    """A deployment that allows what RFC 9700 advises against."""
    with override(app, weaker_clients=("no-pkce",)):
        yield


def without_pkce(client):
    with transaction():
        manage.update_client(client.client_id, {"require_pkce": False})


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge": ""},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge_method": "S512"},
        {"code_challenge": "short"},
        {"code_challenge": CHALLENGE + "="},
        {"code_challenge": CHALLENGE[:-1] + "é"},
        {"code_challenge": "x" * 128},
    ],
)
def test_a_request_without_a_whole_s256_challenge_is_refused(ask, changes):
    assert told(ask(**changes))["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("verifier", "error"),
    [
        (None, "invalid_request"),
        ("", "invalid_request"),
        ("short", "invalid_request"),
        ("é" * 43, "invalid_request"),
        ("x" * 129, "invalid_request"),
        ("x" * 43, "invalid_grant"),
    ],
)
def test_a_code_needs_the_verifier_of_its_challenge(signed_in, verifier, error):
    answer = ask_token(signed_in, code_verifier=verifier)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert redeem(signed_in)["access_token"], "and a wrong one does not burn it"


def test_the_challenge_itself_is_no_verifier(person, account):
    """What "plain" would have accepted."""
    person.authorize().two_factors(ADDRESS)
    answer = ask_token(person, code_verifier=person.challenge)
    assert answer.get_json()["error"] == "invalid_grant"
    assert redeem(person)["access_token"], "the verifier that it was made of is one"


@pytest.mark.usefixtures("allowed")
def test_a_registration_may_leave_it_out_but_never_use_plain(ask, person):
    without_pkce(person.client)
    answer = ask(code_challenge=None, code_challenge_method=None)
    assert answer.headers["Location"].startswith("/")
    assert told(ask(code_challenge_method="plain"))["error"] == "invalid_request"
    assert told(ask(code_challenge_method=None))["error"] == "invalid_request"


@pytest.mark.usefixtures("allowed")
def test_a_challenge_that_was_sent_is_held_to_whatever_the_registration_says(person, account):
    without_pkce(person.client)
    person.authorize().two_factors(ADDRESS)
    assert ask_token(person, code_verifier=None).get_json()["error"] == "invalid_request"
    assert ask_token(person, code_verifier="x" * 43).get_json()["error"] == "invalid_grant"
    assert redeem(person)["access_token"]


@pytest.mark.usefixtures("allowed")
def test_a_verifier_for_a_code_without_challenge_is_refused(person, account):
    """The downgrade of RFC 9700 4.8.2: somebody took the challenge out of the request on its way."""
    without_pkce(person.client)
    person.authorize(code_challenge=None, code_challenge_method=None).two_factors(ADDRESS)
    answer = ask_token(person)
    assert answer.status_code == 400
    assert ask_token(person, code_verifier=None).status_code == 200


def test_nobody_does_without_it_where_the_deployment_does_not_allow_it(ask, app, person):
    with override(app, weaker_clients=("no-pkce",)):
        without_pkce(person.client)
    assert told(ask(code_challenge=None, code_challenge_method=None))["error"] == "invalid_request"
    with pytest.raises(InvalidRegistrationError, match="IDP_WEAKER_CLIENTS"):
        without_pkce(person.client)
