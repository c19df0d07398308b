"""Every route in one table: who may use it, whether a form token is needed, what may be cached.

A route that is missing here fails, and so does one that behaves otherwise.
"""

import re
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.flow.steps import Step
from tests.support.people import PASSWORD

ISSUER = "http://localhost:8000"
STEP = "/interaction/<token:interaction_id>"
NO_STORE = "no-store"
CACHED = "public, max-age=300"


@dataclass(frozen=True)
class Route:
    """`guard`: browser (its own interaction), client (client authentication), token, link (in a message),
    session (a fresh one; others sign in first), off (by default), or nobody.

    `csrf`: whether a POST without a form token is refused. `steps`: those at which its handler runs; it
    leads on from any other. Empty: it belongs to no step.
    """

    rule: str
    methods: str
    guard: str
    csrf: bool = False
    cache: str = NO_STORE
    steps: frozenset[Step] = frozenset()


ACTIONS = {
    "email/change": (Step.EMAIL_CODE, Step.EMAIL_VERIFIED, Step.PROFILE),
    "phone/change": (Step.PHONE_CODE, Step.PROFILE),
    "phone/refuse": (Step.PHONE, Step.PHONE_CODE),
    "resend": (
        *(Step.EMAIL_CODE, Step.PHONE_CODE, Step.SECOND_FACTOR),
        *(Step.RECOVERY_CODE, Step.RECOVERY_PHONE_CODE),
        *(Step.LEGACY_CONTACT, Step.NEW_EMAIL_CODE),
    ),
    "channel": (Step.SECOND_FACTOR,),
    "start-over": (
        *(Step.EMAIL, Step.EMAIL_CODE, Step.EMAIL_VERIFIED, Step.PHONE, Step.PHONE_CODE),
        *(Step.PROFILE, Step.JOIN, Step.SECOND_FACTOR),
        *(Step.RECOVERY, Step.RECOVERY_CODE, Step.RECOVERY_PHONE_CODE, Step.RECOVERY_PASSWORD),
        *(Step.INVITATION, Step.LEGACY_CONTACT, Step.NEW_EMAIL, Step.NEW_EMAIL_CODE),
        *(Step.TERMS, Step.CONSENT),
    ),
    "refuse": (Step.TERMS, Step.CONSENT),
    "join/begin": (Step.EMAIL,),
    "join/give-up": (Step.JOIN,),
    "invitation/begin": (Step.SIGN_IN, Step.LEGACY_CONTACT),
    "new-email/change": (Step.NEW_EMAIL_CODE,),
    "recovery/begin": (Step.SIGN_IN, Step.SECOND_FACTOR),
    "recovery/change": (Step.RECOVERY_CODE,),
}
"""What else can be pressed, and where."""

TABLE = [
    Route("/", "GET", "nobody"),
    Route("/healthz", "GET", "nobody"),
    Route("/.well-known/openid-configuration", "GET", "nobody", cache=CACHED),
    Route("/jwks", "GET", "nobody", cache=CACHED),
    Route("/authorize", "GET", "request"),
    Route("/authorize", "POST", "request"),
    Route("/authorize/<token:interaction_id>", "GET", "browser"),
    Route("/token", "POST", "client"),
    Route("/revoke", "POST", "client"),
    Route("/introspect", "POST", "client"),
    Route("/par", "POST", "client"),
    Route("/register", "POST", "off"),
    *(Route("/register/<client_id>", method, "off") for method in ("GET", "PUT", "DELETE")),
    Route("/userinfo", "GET", "token"),
    Route("/userinfo", "POST", "token"),
    Route("/logout", "GET", "nobody"),
    Route("/logout", "POST", "nobody"),
    Route("/logout/confirm", "POST", "nobody", csrf=True),
    Route("/logout/done", "GET", "nobody"),
    Route("/alert/<token:token>", "GET", "link"),
    Route("/alert/<token:token>", "POST", "link", csrf=True),
    Route("/alert/<path:_cut>", "GET", "link"),
    Route("/alert/blocked", "GET", "nobody"),
    Route("/alert/stopped", "GET", "nobody"),
    Route("/reminders/<token:token>", "GET", "link"),
    Route("/reminders/<token:token>", "POST", "link"),
    Route("/account", "GET", "session"),
    Route("/account/applications", "GET", "session"),
    *(
        Route(f"/account/{name}", method, "session", csrf=method == "POST")
        for name in ("email", "email-code", "phone", "phone-code", "password")
        for method in ("GET", "POST")
    ),
    *(
        Route(f"/account/{name}", "POST", "session", csrf=True)
        for name in ("phone/remove", "resend", "cancel", "end-sessions", "applications/withdraw")
    ),
    Route(STEP, "GET", "browser"),
    Route(f"{STEP}/<path:elsewhere>", "GET", "browser"),
    *(
        Route(f"{STEP}/{step}", method, "browser", csrf=method == "POST", steps=frozenset({step}))
        for step in Step
        for method in ("GET", "POST")
        if step is not Step.ANSWER
    ),
    *(
        Route(f"{STEP}/{action}", "POST", "browser", csrf=True, steps=frozenset(steps))
        for action, steps in ACTIONS.items()
    ),
]
IDS = [f"{route.methods} {route.rule}" for route in TABLE]


def path_of(route: Route) -> str:
    path = re.sub("<(token:[a-z_]+|client_id)>", "x" * 43, route.rule)
    return re.sub("<path:[a-z_]+>", "elsewhere", path)


def ask(client: FlaskClient, route: Route):
    return client.open(path_of(route), method=route.methods, base_url=ISSUER)


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
    expected = {
        "browser": {400},
        "request": {400},
        "client": {400},
        "token": {401},
        "link": {410},
        "session": {303},
        "off": {404},
    }
    allowed = {400} if route.csrf else expected.get(route.guard, {200, 303})
    assert answer.status_code in allowed
    assert "Location" not in answer.headers or answer.headers["Location"].startswith(
        ("/logout", "/interaction/")
    )


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


def view_of(app: Flask, route: Route):
    adapter = app.url_map.bind("localhost")
    endpoint, _values = adapter.match(path_of(route), method=route.methods)
    return app.view_functions[endpoint]


@pytest.mark.parametrize("route", TABLE, ids=IDS)
def test_each_handler_runs_at_its_own_steps_only(session_app: Flask, route):
    """`step_page` leads on from any other, which `test_nothing_is_done_at_another_step` shows."""
    steps = getattr(view_of(session_app, route), "steps", ())
    assert len(steps) == len(set(steps))
    assert set(steps) == route.steps


@pytest.mark.parametrize(
    "route", [r for r in TABLE if r.steps], ids=lambda r: f"{r.methods} {r.rule}"
)
def test_nothing_is_done_at_another_step(person, route):
    """Here, at sign-in; where the handler belongs there, at the page after it."""
    person.authorize()
    if Step.SIGN_IN in route.steps:
        person.sign_in("jeanne", PASSWORD)
    here, where = person.step, person.path.rpartition("/")[0]
    path = route.rule.replace(STEP, where)
    token = person.page.forms[0].fields["csrf_token"]
    answer = person.browser.open(
        path, method=route.methods, data={"csrf_token": token}, base_url=ISSUER
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{where}/{here}"
