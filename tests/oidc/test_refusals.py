"""Why requests were refused is written down for the application's developer; no stranger fills a table so."""

import pytest
from sqlalchemy import select

from idp.audit.models import AuditEvent
from idp.extensions import db
from idp.oidc import refusals
from tests.support.journey import ISSUER
from tests.support.tokens import ask_token


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
