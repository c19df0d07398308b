"""A person at a browser: reads pages, fills in forms, follows redirects, opens the mail."""

import base64
import hashlib
import html
import re
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.delivery import outbox
from tests.support.inbox import Inbox

NEW_PASSWORD = "trois petits canards verts"
ISSUER = "http://localhost:8000"
CODE = re.compile(r"\b(\d{6})\b")
"""What tells a code from a notice."""


@dataclass
class Form:
    """One form of a page."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)


class Page(HTMLParser):
    """The parts of a page that a person acts on."""

    def __init__(self, response: TestResponse) -> None:
        super().__init__()
        self.status = response.status_code
        self.source = response.get_data(as_text=True)
        self.step = ""
        self.forms: list[Form] = []
        self._button: dict[str, str] | None = None
        self._label = ""
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "main":
            self.step = values.get("data-step", "")
        if tag == "form":
            self.forms.append(Form(values.get("action", "")))
        if tag == "input" and self.forms:
            self.forms[-1].fields[values["name"]] = values.get("value", "")
        self._button = values if tag == "button" else self._button

        self._label = "" if tag == "button" else self._label

    def handle_data(self, data: str) -> None:
        self._label += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "button" and self._button is not None:
            named = {self._button["name"]: self._button["value"]} if "name" in self._button else {}
            self.forms[-1].buttons[" ".join(self._label.split())] = named
            self._button = None

    @property
    def text(self) -> str:
        """What can be read, entities resolved."""
        bare = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", self.source, flags=re.DOTALL)
        return re.sub(r"\s+", " ", html.unescape(bare))


class Person:
    """One browser, one mailbox, one relying party to come from."""

    def __init__(self, app: Flask, inbox: Inbox, client: Any, issuer: str = ISSUER) -> None:
        self.app, self.inbox, self.client, self.issuer = app, inbox, client, issuer
        self.browser: FlaskClient = app.test_client()
        self.browser.environ_base["HTTP_REFERER"] = f"{issuer}/"
        self.page: Page | None = None
        self.path = ""
        self.callback: dict[str, str] | None = None
        self.posted_to = ""
        """Where the last answer by form went."""
        self.left_for = ""
        """Where the last redirect away from the provider led."""
        self.verifier = secrets.token_urlsafe(32)
        self.method = "GET"
        """How the relying party sends its authorization requests."""

    def authorize(self, **changes: str | None) -> "Person":
        """Come from the relying party."""
        if self.method == "GET":
            return self.get(self.authorize_path(**changes))
        path, _, query = self.authorize_path(**changes).partition("?")
        form = dict(parse_qsl(query, keep_blank_values=True))
        return self._land(path, self.browser.post(path, data=form, base_url=self.issuer))

    def authorize_path(self, **changes: str | None) -> str:
        """The authorization request, with some parameters changed or (None) left out."""
        values = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "scope": "openid profile email phone address",
            "state": "the state",
            "nonce": "the nonce",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        } | changes
        kept = {name: value for name, value in values.items() if value is not None}
        return f"/authorize?{urlencode(kept)}"

    @property
    def challenge(self) -> str:
        """What goes with the request for the verifier that goes with the code (RFC 7636 4.2)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def get(self, path: str) -> "Person":
        """Open an address."""
        return self._land(path, self.browser.get(path, base_url=self.issuer))

    def post(self, path: str, **fields: str) -> TestResponse:
        """Post by hand, with the CSRF token of the present page, and follow nothing."""
        token = next(
            (f.fields["csrf_token"] for f in self.page.forms if "csrf_token" in f.fields), ""
        )
        return self.browser.post(path, data={"csrf_token": token, **fields}, base_url=self.issuer)

    def press(self, button: str, **fields: str) -> "Person":
        """Fill in the form that has this button, and press it."""
        assert self.page is not None
        form = next((form for form in self.page.forms if button in form.buttons), None)
        assert form, f"no button {button!r} on {self.page.step}: {self.page.text[:400]}"
        unknown = set(fields) - set(form.fields)
        assert not unknown, f"no field {unknown} in the form of {button!r}"
        path = urljoin(self.path, form.action)
        data = form.fields | fields | form.buttons[button]
        return self._land(path, self.browser.post(path, data=data, base_url=self.issuer))

    def _land(self, path: str, response: TestResponse) -> "Person":
        self.callback = None
        while response.status_code in {302, 303}:
            target = urljoin(self.issuer + path, response.headers["Location"])
            if not target.startswith(self.issuer + "/"):
                query = parse_qs(urlsplit(target).query, keep_blank_values=True)
                self.callback = {name: values[0] for name, values in query.items()}
                self.left_for, self.posted_to, self.page = target, "", None
                return self
            path = target.removeprefix(self.issuer)
            response = self.browser.get(path, base_url=self.issuer)
        self.path, self.page = path, Page(response)
        if self.step == "form-post":
            (form,) = self.page.forms
            self.posted_to, self.callback, self.page = form.action, form.fields, None
        return self

    @property
    def step(self) -> str:
        """Where the person is."""
        return self.page.step if self.page else "callback"

    def code(self, to: str | None = None) -> str:
        """The newest code received, once the worker has been round."""
        with self.app.app_context():
            outbox.deliver_due("test")
        mine = [m.text for m in reversed(self.inbox.messages) if to in {None, m.to}]
        return next(found[1] for text in mine if (found := CODE.search(text)))

    # Whole stretches of the way.

    def sign_in(self, identifier: str, password: str) -> "Person":
        """Identifier and password."""
        return self.press("Se connecter", identifier=identifier, password=password)

    def give_email(self, address: str) -> "Person":
        """New identifier, code, continue."""
        self.press("Recevoir le code", email=address)
        self.press("Vérifier le code", code=self.code())
        return self.press("Continuer")

    def migrate(self, identifier: str, password: str, address: str, phone: str = "") -> "Person":
        """The whole migration, from sign-in to the done page."""
        return self.to_profile(identifier, password, address, phone).finish()

    def to_profile(self, identifier: str, password: str, address: str, phone: str = "") -> "Person":
        """A migration, from sign-in to its last page."""
        self.sign_in(identifier, password).give_email(address)
        if phone:
            self.press("Recevoir le code", phone=phone)
            self.press("Vérifier le code", code=self.code())
        elif self.step == "phone":
            self.press("Je ne souhaite pas donner mon numéro de téléphone")
        return self

    def finish(self) -> "Person":
        """The last button of a migration."""
        return self.press(
            "Mettre à jour le compte", password=NEW_PASSWORD, confirmation=NEW_PASSWORD
        )

    def two_factors(self, address: str, password: str = NEW_PASSWORD) -> "Person":
        """A later sign-in, from the sign-in page back to the relying party."""
        self.sign_in(address, password)
        return self.press("Vérifier le code", code=self.code())
