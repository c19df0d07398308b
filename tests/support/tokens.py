"""Redeeming what a person's browser brought back, as a relying party would."""

from typing import Any

from flask import current_app
from joserfc import jwt
from werkzeug.test import TestResponse

from tests.support.journey import ISSUER, Person
from tests.support.portal import TestClientApp
from tests.support.signing import published


def ask_token(
    person: Person, headers: dict[str, str] | None = None, **changes: str | list[str] | None
) -> TestResponse:
    """POST /token for the code of the person's callback, with some fields changed, left out or repeated."""
    fields = {
        "grant_type": "authorization_code",
        "code": (person.callback or {}).get("code"),
        "redirect_uri": person.client.redirect_uri,
        "code_verifier": person.verifier,
    } | changes
    kept = {name: value for name, value in fields.items() if value is not None}
    client = person.client
    if not client.secret:
        kept.setdefault("client_id", client.client_id)
    auth = (client.client_id, client.secret) if client.secret else None
    return person.app.test_client().post(
        "/token", data=kept, auth=auth, headers=headers, base_url=ISSUER
    )


def redeem(person: Person, **changes: Any) -> dict[str, Any]:
    """The tokens for the code of the person's callback."""
    answer = ask_token(person, **changes)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    tokens: dict[str, Any] = answer.get_json()
    return tokens


def claims_of(tokens: dict[str, Any]) -> dict[str, Any]:
    """Claims of the ID token, its signature checked against the published keys."""
    decoded = jwt.decode(tokens["id_token"], published(), algorithms=["RS256", "ES256"])
    return dict(decoded.claims)


def userinfo(person: Person, access_token: str) -> TestResponse:
    """GET /userinfo with a bearer token."""
    headers = {"Authorization": f"Bearer {access_token}"}
    return person.app.test_client().get("/userinfo", headers=headers, base_url=ISSUER)


def introspect(client: TestClientApp, token: str) -> Any:
    """What the provider tells a client of a token."""
    answer = current_app.test_client().post(
        "/introspect",
        data={"token": token},
        auth=(client.client_id, client.secret),
        base_url=ISSUER,
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def refresh(person: Person, refresh_token: str, **fields: Any) -> TestResponse:
    """POST /token with a refresh token."""
    return ask_token(
        person,
        grant_type="refresh_token",
        code=None,
        redirect_uri=None,
        code_verifier=None,
        refresh_token=refresh_token,
        **fields,
    )
