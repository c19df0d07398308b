"""Redeeming what a person's browser brought back, as a relying party would."""

from typing import Any

from werkzeug.test import TestResponse

from tests.support.journey import ISSUER, Person


def ask_token(person: Person, **changes: str | None) -> TestResponse:
    """POST /token for the code of the person's callback, with some fields changed or left out."""
    fields = {
        "grant_type": "authorization_code",
        "code": (person.callback or {}).get("code"),
        "redirect_uri": person.client.redirect_uri,
        "code_verifier": person.verifier,
    } | changes
    kept = {name: value for name, value in fields.items() if value is not None}
    return person.app.test_client().post(
        "/token", data=kept, auth=(person.client.client_id, person.client.secret), base_url=ISSUER
    )


def redeem(person: Person) -> dict[str, Any]:
    """The tokens for the code of the person's callback."""
    answer = ask_token(person)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    tokens: dict[str, Any] = answer.get_json()
    return tokens
