"""OAuth 2.0 Form Post Response Mode: answers in a form that submits itself."""

from dataclasses import replace

import pytest

from tests.support.accounts import ADDRESS
from tests.support.journey import ISSUER, Page, Person
from tests.support.portal import PORTAL, register
from tests.support.tokens import redeem

QUERY = "https://portal.example/callback?tenant=a%20b&x=%22%3E%3Cscript%3E"


def test_the_answer_comes_by_form_and_its_code_is_worth_tokens(person, account):
    person.authorize(response_mode="form_post").two_factors(ADDRESS)
    assert person.posted_to == person.client.redirect_uri
    assert set(person.callback) == {"code", "state", "iss"}
    assert person.callback["iss"] == ISSUER
    assert redeem(person)["id_token"]


def test_errors_come_by_form_too(person):
    person.authorize(response_mode="form_post", prompt="none")
    assert person.posted_to == person.client.redirect_uri
    assert person.callback["error"] == "login_required"
    assert person.callback["state"] == "the state"


def test_the_page_is_a_plain_form_with_a_button_that_may_go_only_there(person, signed_in):
    path = person.authorize_path(response_mode="form_post", state="é\"'<&> +%41")
    answer = person.browser.get(path, base_url=ISSUER)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "form-action 'self' https://portal.example;" in policy
    assert "unsafe" not in policy
    page = Page(answer)
    (form,) = page.forms
    assert "Continuer" in form.buttons
    assert form.fields["state"] == "é\"'<&> +%41", "not percent-encoded"
    assert "<script>" not in page.source.replace("<script src", "")


def test_an_address_with_a_query_keeps_it(app, inbox, account):
    person = Person(app, inbox, register(replace(PORTAL, redirect_uris=(QUERY,))))
    person.authorize(response_mode="form_post").two_factors(ADDRESS)
    assert person.posted_to == QUERY
    assert set(person.callback) == {"code", "state", "iss"}


@pytest.mark.parametrize("mode", ["fragment", "web_message", "form_post.jwt", ""])
def test_other_modes_are_an_error_in_the_query(person, mode):
    person.authorize(response_mode=mode)
    assert person.posted_to == ""
    assert person.callback["error"] == "invalid_request"


def test_a_mode_given_twice_is_an_error_in_the_query(person):
    person.get(person.authorize_path(response_mode="form_post") + "&response_mode=query")
    assert person.posted_to == ""
    assert person.callback["error"] == "invalid_request"
