"""An application that registers itself, as its developer would let it."""

import json
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.journey import ISSUER

URI = "https://app.example/cb"


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
