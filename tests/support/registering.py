"""An application that registers itself, as its developer would let it."""

import json
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.audit.models import AuditEvent
from idp.clients import registration_tokens
from idp.extensions import db, transaction
from tests.support.journey import ISSUER
from tests.support.signing import make_key, public_set

URI = "https://app.example/cb"
KEYS = public_set(make_key())
EVERYTHING: dict[str, Any] = {
    "client_name": "Archives",
    "redirect_uris": [URI, "https://app.example/other"],
    "response_types": ["code"],
    "post_logout_redirect_uris": ["https://app.example/bye"],
    "application_type": "native",
    "client_name#de": "Archiv",
    "client_uri": "https://app.example/",
    "logo_uri": "https://app.example/logo.png",
    "policy_uri": "https://app.example/privacy",
    "policy_uri#de-CH": "https://app.example/datenschutz",
    "tos_uri": "https://app.example/terms",
    "initiate_login_uri": "https://app.example/login",
    "backchannel_logout_uri": "https://app.example/logout",
    "backchannel_logout_session_required": False,
    "grant_types": ["authorization_code", "refresh_token"],
    "subject_type": "pairwise",
    "scope": "openid email offline_access",
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "ES256",
    "id_token_signed_response_alg": "ES256",
    "id_token_encrypted_response_alg": "ECDH-ES",
    "id_token_encrypted_response_enc": "A256GCM",
    "userinfo_signed_response_alg": "RS256",
    "userinfo_encrypted_response_alg": "ECDH-ES",
    "userinfo_encrypted_response_enc": "A128GCM",
    "jwks": KEYS,
    "request_object_signing_alg": "ES256",
    "require_signed_request_object": True,
    "require_pushed_authorization_requests": True,
    "dpop_bound_access_tokens": True,
    "id_token_scope_claims": True,
    "default_max_age": 3600,
}
"""A registration that says all there is to say."""


class Developer:
    """Speaks to the registration endpoint; remembers what it was told last."""

    def __init__(self, app: Flask) -> None:
        self.browser = app.test_client()
        self.known: dict[str, Any] = {}

    def register(self, token: str = "", **metadata: Any) -> TestResponse:
        """POST: redirect_uris are there unless they are changed."""
        answer = self.send("POST", "/register", {"redirect_uris": [URI], **metadata}, token)
        self.known = answer.get_json() if answer.status_code == 201 else self.known
        return answer

    def manage(self, method: str, metadata: Any = None, token: str | None = None) -> TestResponse:
        """Ask about its own registration, with its own token unless another is named."""
        path = self.known["registration_client_uri"].removeprefix(ISSUER)
        own = self.known["registration_access_token"] if token is None else token
        return self.send(method, path, metadata, own)

    def send(self, method: str, path: str, body: Any = None, token: str = "") -> TestResponse:
        """One request; a body that is no text is sent as JSON."""
        raw = body if isinstance(body, str | bytes | None) else json.dumps(body)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        kind = None if body is None else "application/json"
        return self.browser.open(
            path, method=method, data=raw, headers=headers, content_type=kind, base_url=ISSUER
        )

    @property
    def repeatable(self) -> dict[str, Any]:
        """What it was told, less what may not be sent back (RFC 7592 2.2)."""
        own = {"registration_access_token", "registration_client_uri", "client_id_issued_at"}
        own.add("client_secret_expires_at")
        return {name: value for name, value in self.known.items() if name not in own}


def token(
    uses: int = 1, lives: timedelta = timedelta(hours=1), *, require_pkce: bool = True
) -> str:
    """One with which applications may register."""
    with transaction():
        return registration_tokens.issue(
            "tests", uses=uses, lives=lives, actor="os:tests", require_pkce=require_pkce
        )[1]


def events() -> list[tuple[str, str | None]]:
    """Everything that happened, and who did it."""
    return [(one.event, one.actor) for one in db.session.scalars(select(AuditEvent))]


def refused(answer: TestResponse, error: str, status: int = 400) -> str:
    """Told so in constant words, and in a form that says what it is."""
    body: dict[str, Any] = answer.get_json()
    assert (answer.status_code, body["error"]) == (status, error)
    description: str = body["error_description"]
    assert description.isascii()
    assert answer.headers["Cache-Control"] == "no-store"
    return description
