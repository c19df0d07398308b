"""CSRF, framing, forged hosts, polluted parameters, hostile bytes: a clear 4xx, never more."""

import pytest

from idp.extensions import db
from idp.flow.interaction import Interaction
from tests.journeys.test_pages import walk
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD, Page
from tests.support.settings import override

HOSTILE = {
    "nul": b"a\x00b",
    "not utf-8": b"\xff\xfe\xc3",
    "lone surrogate": b"\xed\xa0\x80",
    "line breaks": b"a\r\nSet-Cookie: x=y\r\n\r\n",
    "markup": b"<script>alert(1)</script>'\"><img src=x>",
    "template": b"{{7*191}}${7*191}%s%n%(a)s",
    "bidi": "\u202e\u2066\ufeff".encode(),
    "astral": "\U0001f680\U0010ffff".encode(),
    "long": b"x" * 20_000,
    "sql": b"' OR 1=1; DROP TABLE account; --",
    "empty": b"",
}
FIELDS = {
    "sign-in": ("identifier", "password"),
    "email": ("email",),
    "email-code": ("code",),
    "phone": ("phone",),
    "phone-code": ("code",),
    "profile": ("password", "confirmation"),
    "second-factor": ("code",),
}


def quote(value):
    return "".join(f"%{byte:02X}" for byte in value)


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_in_every_form_field_of_the_journey(person, value):
    for at in walk(person):
        token = at.page.forms[0].fields["csrf_token"] if at.page.forms else ""
        for name in FIELDS.get(at.step, ()):
            others = "".join(f"&{other}=x" for other in FIELDS[at.step] if other != name)
            body = f"csrf_token={token}&{name}={quote(value)}{others}"
            answer = at.browser.post(
                at.path,
                data=body,
                content_type="application/x-www-form-urlencoded",
                base_url=ISSUER,
            )
            assert 400 <= answer.status_code < 500, (at.step, name)
            assert b"<script>alert" not in answer.data
            assert b"1337" not in answer.data
            assert "x" not in {cookie.key for cookie in at.browser._cookies.values()}
        assert at.get(at.path).step == at.step, "and nothing moved"


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    "name",
    [
        "seuil-browser",
        "seuil-session",
        "seuil-form",
        "another",
        "Accept-Language",
        "Cookie",
        "Authorization",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "Content-Type",
        "Referer",
    ],
)
def test_hostile_bytes_in_cookies_and_headers(client, person, name, value):
    text = value.replace(b"\r\n", b" ").replace(b"\x00", b"").decode("latin-1")[:4000]
    header = (name, text) if name[0].isupper() else ("Cookie", f"{name}={text}")
    for path in (person.authorize_path(), "/logout", "/userinfo", "/interaction/x/sign-in", "/"):
        answer = client.get(path, headers=[header], base_url=ISSUER)
        assert answer.status_code < 500, path
        answer = client.post(path, headers=[header], base_url=ISSUER)
        assert answer.status_code < 500, path


def test_a_form_without_its_token_or_with_anothers_changes_nothing(person):
    for at in walk(person):
        for form in at.page.forms:
            before = state(at)
            for token in ({}, {"csrf_token": "junk"}):
                path = form.action or at.path
                data = {k: v for k, v in form.fields.items() if k != "csrf_token"} | token
                answer = at.browser.post(path, data=data, base_url=ISSUER)
                assert answer.status_code == 400, (at.step, path)
            assert state(at) == before


def state(person):
    db.session.rollback()
    interaction = db.session.get(Interaction, person.path.split("/")[2])
    return {column.name: getattr(interaction, column.name) for column in Interaction.__table__.c}


def test_every_answer_forbids_framing_and_foreign_content(client, person):
    answers = [
        client.get(path, base_url=ISSUER) for path in ("/", "/nothing", "/authorize", "/jwks")
    ]
    person.authorize()
    answers += [person.browser.get(person.path, base_url=ISSUER)]
    answers += [client.post("/token", base_url=ISSUER), client.get("/userinfo", base_url=ISSUER)]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"


def test_pages_of_a_person_are_never_kept_by_caches(person):
    for at in walk(person):
        answer = at.browser.get(at.path, base_url=ISSUER)
        assert answer.headers["Cache-Control"] == "no-store", at.step


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost:8001",
        "localhost",
        "localhost:8000.evil.example",
        "evil.example:8000",
        "localhost:8000@evil.example",
        "..",
        "a" * 300,
        "a b",
        "",
    ],
)
@pytest.mark.parametrize(
    "path", ["/", "/authorize", "/.well-known/openid-configuration", "/logout"]
)
def test_a_forged_host_gets_nothing_and_appears_nowhere(client, host, path):
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert b"evil" not in answer.data


def test_a_forwarded_host_is_not_believed_without_a_proxy(client):
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    answer = client.get("/.well-known/openid-configuration", headers=headers, base_url=ISSUER)
    assert answer.get_json()["issuer"] == ISSUER
    assert b"evil" not in answer.data


def test_a_form_field_given_twice_counts_once(person):
    """The first one is read, by every part of the code alike."""
    make_account()
    person.authorize()
    token = person.page.forms[0].fields["csrf_token"]
    body = f"csrf_token={token}&identifier={ADDRESS}&identifier=paul&password=x&password={NEW_PASSWORD}"
    answer = person.browser.post(
        person.path,
        data=body,
        content_type="application/x-www-form-urlencoded",
        base_url=ISSUER,
    )
    page = Page(answer)
    assert answer.status_code == 422
    assert page.forms[0].fields["identifier"] == ADDRESS


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "PATCH", "TRACE", "NONSENSE", "OPTIONS", "HEAD"]
)
def test_other_methods_do_nothing(app, client, person, method):
    person.authorize()
    for path in (person.path, "/authorize", "/token", "/userinfo", "/logout", "/jwks", "/"):
        answer = person.browser.open(path, method=method, base_url=ISSUER)
        assert answer.status_code < 500, path
    assert person.get(person.path).step == "sign-in"


def test_a_bug_shows_a_reference_and_no_detail(app, person, monkeypatch):
    make_account()
    person.authorize()

    def explode(*_args, **_options):
        raise RuntimeError("the secret inner word")

    monkeypatch.setattr("idp.pages.sign_in.check_password", explode)
    person.sign_in(ADDRESS, NEW_PASSWORD)
    assert (person.page.status, person.step) == (500, "error")
    assert "secret inner word" not in person.page.source
    assert "Traceback" not in person.page.source
    assert NEW_PASSWORD not in person.page.source


def test_over_https_cookies_belong_to_the_host_and_browsers_are_told_to_stay(app, person):
    with override(app, issuer="https://login.example.ch"):
        answer = app.test_client().get(person.authorize_path(), base_url="https://login.example.ch")
        (cookie,) = [c for c in answer.headers.getlist("Set-Cookie") if "seuil-browser" in c]
        assert cookie.startswith("__Host-seuil-browser=")
        for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert attribute in cookie
        assert "Domain" not in cookie
        assert "max-age=63072000" in answer.headers["Strict-Transport-Security"]


def test_on_localhost_over_http_there_is_no_secure_cookie_and_no_hsts(client, person):
    answer = client.get(person.authorize_path(), base_url=ISSUER)
    assert "Strict-Transport-Security" not in answer.headers
    assert not [c for c in answer.headers.getlist("Set-Cookie") if "Secure" in c]
    assert all("HttpOnly" in c for c in answer.headers.getlist("Set-Cookie"))
