"""Why requests were refused is written down for the application's developer; no stranger fills a table so."""

import pytest
from sqlalchemy import select

from idp.audit.models import AuditEvent
from idp.extensions import db
from idp.oidc import refusals
from idp.oidc.grant_types import NO_REFRESH_TOKEN
from tests.support.journey import ISSUER
from tests.support.tokens import ask_token, refresh


@pytest.fixture(autouse=True)
def silence():
    refusals._said.clear()


def noted():
    found = select(AuditEvent).where(AuditEvent.event == "request_refused").order_by(AuditEvent.id)
    return [(one.client, *one.details.values()) for one in db.session.scalars(found)]


def test_both_ways_of_the_browser_are_told(ask, portal):
    ask(code_challenge=None)
    ask(redirect_uri="https://portal.example/Callback")
    assert noted() == [
        (
            portal.client_id,
            *("authorize", "invalid_request", "The code_challenge parameter is missing."),
        ),
        (portal.client_id, "authorize", "invalid_request", refusals.NOT_REGISTERED),
    ]


def test_what_the_application_asks_itself_is_told(signed_in):
    ask_token(signed_in, code_verifier="x" * 43)
    ask_token(signed_in, grant_type="<b>secret")
    ask_token(signed_in, code="secret", refresh_token="secret")
    said = noted()
    assert [one[1:3] for one in said] == [
        *(("token", "invalid_grant"), ("token", "unsupported_grant_type")),
        ("token", "invalid_grant"),
    ]
    assert "secret" not in str(said)


def test_another_way_to_authenticate_is_named_with_the_registered_one(signed_in, portal):
    """To the operator only: what a stranger's request is answered names neither."""
    known = {
        "client_id": portal.client_id,
        "client_secret": portal.secret,
        "grant_type": "refresh_token",
    }
    answer = signed_in.app.test_client().post("/token", data=known, base_url=ISSUER)
    why = "It is registered with client_secret_basic, and came with client_secret_post."
    assert noted() == [(portal.client_id, "token", "invalid_client", why)]
    assert why not in answer.text


def test_a_wrong_secret_is_told_once(signed_in, portal):
    """As `client_refused`."""
    answer = signed_in.app.test_client().post(
        "/token",
        data={"grant_type": "refresh_token"},
        auth=(portal.client_id, "wrong"),
        base_url=ISSUER,
    )
    assert answer.get_json()["error"] == "invalid_client"
    assert noted() == []
    refused = select(AuditEvent).where(AuditEvent.event == "client_refused")
    assert len(list(db.session.scalars(refused))) == 1


def test_a_refresh_token_that_is_none_is_told_apart_from_a_code(signed_in):
    for token in ("x", "y"):
        refresh(signed_in, token)
    assert [one[2:] for one in noted()] == [("invalid_grant", NO_REFRESH_TOKEN)]


def test_what_people_do_is_no_mistake_of_the_application(ask):
    ask(prompt="none")
    assert noted() == []


def test_of_one_kind_one_is_told_and_of_all_together_few(ask, portal):
    for _ in range(3):
        ask(code_challenge=None)
    assert len(noted()) == 1
    for changes in ("response_type", "scope", "response_mode", "prompt", "max_age", "display"):
        ask(**{changes: "x y"})
        ask(**{changes: ["x", "y"]})
    assert len(noted()) == refusals._MOST


def test_of_nobody_registered_nothing_is_told(client):
    client.get("/authorize?client_id=nobody&redirect_uri=x", base_url=ISSUER)
    client.post("/token", data={"client_id": "a\x00"}, base_url=ISSUER)
    assert noted() == []
