"""Every route in one table: who may use it, whether a form token is needed, what may be cached.

A route that is missing here fails, and so does one that behaves otherwise.
"""

from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

ISSUER = "http://localhost:8000"
STEP = "/interaction/<token:interaction_id>"
NO_STORE = "no-store"
CACHED = "public, max-age=300"


@dataclass(frozen=True)
class Route:
    """`guard`: browser (its own interaction), client (client authentication), token, or nobody.

    `csrf`: whether a POST without a form token is refused.
    """

    rule: str
    methods: str
    guard: str
    csrf: bool = False
    cache: str = NO_STORE


TABLE = [
    Route("/", "GET", "nobody"),
    Route("/healthz", "GET", "nobody"),
    Route("/.well-known/openid-configuration", "GET", "nobody", cache=CACHED),
    Route("/jwks", "GET", "nobody", cache=CACHED),
    Route("/authorize", "GET", "request"),
    Route("/authorize", "POST", "request"),
    Route("/authorize/<token:interaction_id>", "GET", "browser"),
    Route("/token", "POST", "client"),
    Route("/userinfo", "GET", "token"),
    Route("/userinfo", "POST", "token"),
    Route("/logout", "GET", "nobody"),
    Route("/logout", "POST", "nobody"),
    Route("/logout/confirm", "POST", "nobody", csrf=True),
    Route("/logout/done", "GET", "nobody"),
    Route(STEP, "GET", "browser"),
    Route(f"{STEP}/<path:elsewhere>", "GET", "browser"),
    *(
        Route(f"{STEP}/{step}", method, "browser", csrf=method == "POST")
        for step in (
            *("sign-in", "email", "email-code", "email-verified", "phone", "phone-code"),
            *("profile", "done", "second-factor"),
        )
        for method in ("GET", "POST")
    ),
    *(
        Route(f"{STEP}/{action}", "POST", "browser", csrf=True)
        for action in (
            *("email/change", "phone/change", "phone/refuse", "resend", "channel", "start-over"),
        )
    ),
]
IDS = [f"{route.methods} {route.rule}" for route in TABLE]


def ask(client: FlaskClient, route: Route):
    path = route.rule.replace("<token:interaction_id>", "x" * 43).replace(
        "<path:elsewhere>", "resend"
    )
    return client.open(path, method=route.methods, base_url=ISSUER)


def test_the_table_is_whole(session_app: Flask):
    served = {
        (rule.rule, method)
        for rule in session_app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(route.rule, route.methods) for route in TABLE}


@pytest.mark.parametrize("route", TABLE, ids=IDS)
def test_guards_refuse_whoever_comes_with_nothing(client, route):
    answer = ask(client, route)
    expected = {"browser": {400}, "request": {400}, "client": {400}, "token": {401}}
    allowed = {400} if route.csrf else expected.get(route.guard, {200, 303})
    assert answer.status_code in allowed
    assert "Location" not in answer.headers or answer.headers["Location"].startswith("/logout")


@pytest.mark.parametrize("route", TABLE, ids=IDS)
def test_only_what_is_public_may_be_cached(client, route):
    assert ask(client, route).headers["Cache-Control"] == route.cache


@pytest.mark.parametrize("route", [r for r in TABLE if r.csrf], ids=lambda r: r.rule)
def test_a_post_without_a_form_token_is_refused_before_anything_is_read(client, route):
    answer = ask(client, route)
    assert answer.status_code == 400
    assert "Ce formulaire n’est plus valable" in answer.get_data(as_text=True)


@pytest.mark.parametrize("route", TABLE, ids=IDS)
def test_every_answer_carries_the_security_headers(client, route):
    headers = ask(client, route).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
