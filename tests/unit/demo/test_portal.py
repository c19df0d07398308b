"""The demo's relying party: what it says when things go another way than hoped."""

import pytest

from idp.demo.portal import PortalOptions, create_app


@pytest.fixture
def portal():
    options = PortalOptions("http://localhost:1", "client", "secret", cookie_key="a key")
    return create_app(options).test_client()


def test_a_refusal_is_a_sentence_with_its_code(portal):
    answer = portal.get("/callback?error=access_denied&error_description=No&state=x")
    assert answer.status_code == 400
    assert "La connexion n’a pas abouti" in answer.text
    assert "<code>access_denied</code>" in answer.text


def test_an_answer_that_nobody_asked_for_is_a_refusal(portal):
    answer = portal.get("/callback?code=x&state=forged")
    assert answer.status_code == 400
    assert "<code>mismatching_state</code>" in answer.text


def test_what_the_address_says_is_text(portal):
    answer = portal.get("/callback?error=<script>alert(1)</script>&state=x")
    assert "<script>alert" not in answer.text


def test_an_unknown_page_is_said_in_french(portal):
    answer = portal.get("/nothing-here")
    assert answer.status_code == 404
    assert "Page introuvable" in answer.text


def test_words_that_belong_together_stay_together(portal):
    with portal.session_transaction() as session:
        session["user"] = {"name": "Jeanne Favre", "email_verified": True}
    page = portal.get("/").text
    assert "th { white-space: nowrap; }" in page
    assert "<th>email_verified</th>" in page
    with portal.session_transaction() as session:
        session.clear()
    assert '<span class="whole">e-services</span>' in portal.get("/").text
