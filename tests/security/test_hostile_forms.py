"""Hostile input at the forms of recovery, notices and one's own account: a clear 4xx, and nothing moves."""

import pytest

from idp.accounts import account as accounts
from idp.extensions import db, transaction
from idp.flow import alerts
from idp.flow.alerts import Alert, AlertKind
from tests.security.test_requests import HOSTILE, quote
from tests.support import strict
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD

NUMBER = "+41791234567"
FORM = "application/x-www-form-urlencoded"
ACCOUNT = {
    "/account/email": ("email",),
    "/account/email-code": ("code",),
    "/account/phone": ("phone",),
    "/account/phone-code": ("code",),
    "/account/password": ("present", "password", "confirmation"),
}
BODIES = {
    "json": ("application/json", b'{"email":[{"a":1}],"csrf_token":"x"}'),
    "broken json": ("application/json", b"{" * 5000),
    "no type": ("", b"email=x"),
    "multipart without boundary": ("multipart/form-data", b"--x\r\n\r\n"),
    "multipart cut": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="',
    ),
    "file": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="email"; filename="a"\r\n\r\nz\r\n--x--\r\n',
    ),
    "odd charset": (f"{FORM}; charset=utf-7", b"email=+AGE-"),
    "too large": (FORM, b"email=" + b"x" * 70_000),
    "many fields": (FORM, b"&".join(b"email=x" for _ in range(5000))),
}


@pytest.fixture
def row(app):
    return make_account(phone=NUMBER)


@pytest.fixture
def owner(person, row):
    return person.get("/account").two_factors(ADDRESS)


def send(person, path, fields, value, **others):
    """Each of these fields holds the same, in a form that is otherwise whole."""
    token = next(f.fields["csrf_token"] for f in person.page.forms if "csrf_token" in f.fields)
    body = f"csrf_token={token}" + "".join(f"&{name}={quote(value)}" for name in fields)
    body += "".join(f"&{name}={quote(text.encode())}" for name, text in others.items())
    answer = person.browser.post(path, data=body, content_type=FORM, base_url=ISSUER)
    assert 303 <= answer.status_code < 500, (path, answer.status_code)
    assert b"<script>alert" not in answer.data
    assert "Set-Cookie: x=y" not in str(answer.headers)
    return answer


def as_it_was(row):
    db.session.expire_all()
    now = accounts.by_id(row)
    return (now.email, now.phone, now.epoch) == (ADDRESS, NUMBER, 1)


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_every_field_of_a_recovery(person, row, value):
    person.authorize().press("Mot de passe oublié ?")
    base = person.path.rsplit("/", 1)[0]
    send(person, person.path, ["email"], value)
    person.get(base)
    if person.step == "recovery-code":
        person.press("Corriger la saisie")
    person.press("Recevoir le code", email=ADDRESS)
    for to, step in ((ADDRESS, "recovery-code"), (NUMBER, "recovery-phone-code")):
        send(person, person.path, ["code"], value)
        assert person.get(base).step == step
        person.press("Vérifier le code", code=person.code(to))
    send(person, person.path, ["password"], value, confirmation="x")
    assert person.get(base).step == "recovery-password"
    assert as_it_was(row)


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_every_field_after_an_invitation(person, row, value):
    person.authorize().press(strict.INVITED)
    base = person.path.rsplit("/", 1)[0]
    send(person, person.path, ["invitation"], value)
    assert person.get(base).step == "invitation"
    person.press("Continuer", invitation=strict.invite_back(ADDRESS))
    send(person, person.path, ["email"], value)
    assert person.get(base).step == "new-email"
    assert as_it_was(row)


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_every_field_of_a_newcomer(person, value):
    strict.enter_invitation(person.authorize(), strict.invite_newcomer("nora@example.ch"))
    person.give_email("nora@example.ch").press("Je ne souhaite pas donner mon numéro de téléphone")
    assert person.step == "profile"
    for name in ("given_name", "family_name", "birthdate"):
        send(person, person.path, [name], value, password=NEW_PASSWORD, confirmation="x")
    assert accounts.by_email_key("nora@example.ch") is None


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_every_field_of_the_accounts_pages(owner, row, value):
    for path, fields in ACCOUNT.items():
        owner.get(path)
        if path == "/account/email-code":
            owner.get("/account/email").press("Recevoir le code", email="neuve@example.ch")
        if path == "/account/phone-code":
            owner.get("/account/phone").press("Recevoir le code", phone="+41791234569")
        send(owner, path, fields, value)
    owner.get("/account/password")
    send(owner, "/account/password", ["password"], value, present=NEW_PASSWORD, confirmation="x")
    send(owner, "/account?changed=phone&changed=%00%ff", [], value)
    assert as_it_was(row)


@pytest.mark.parametrize("kind", BODIES)
def test_bodies_of_another_shape(owner, row, kind):
    with transaction():
        alerts.tell(accounts.by_id(row), AlertKind.PASSWORD_CHANGED)
    token = next(f.fields["csrf_token"] for f in owner.page.forms)
    content_type, body = BODIES[kind]
    for path in (*ACCOUNT, "/account/phone/remove", "/account/resend", "/alert/" + "x" * 43):
        for headers in ({}, {"X-CSRFToken": token}):
            answer = owner.browser.post(
                path, data=body, content_type=content_type, headers=headers, base_url=ISSUER
            )
            if path == "/account/phone/remove" and headers and answer.status_code == 303:
                continue
            assert 303 <= answer.status_code < 500, (path, kind)
    assert db.session.query(Alert).filter(Alert.used_at.is_not(None)).count() == 0


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["seuil-known", "seuil-session", "seuil-form", "Accept-Language"])
def test_cookies_and_headers(client, person, row, name, value):
    text = value.replace(b"\r\n", b" ").replace(b"\x00", b"").decode("latin-1")[:4000]
    header = (name, text) if name[0].isupper() else ("Cookie", f"{name}={text}")
    for path in ("/account", "/account/email", "/alert/" + "x" * 43, "/alert/blocked"):
        for method in ("GET", "POST", "PUT", "HEAD", "OPTIONS", "NONSENSE"):
            answer = client.open(path, method=method, headers=[header], base_url=ISSUER)
            assert answer.status_code < 500, (path, method)
    assert as_it_was(row)


@pytest.mark.parametrize("path", ["/alert/{}", "/interaction/{}/recovery", "/interaction/{}"])
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_paths(client, path, value):
    answer = client.get(path.format(quote(value)[:3000]), base_url=ISSUER)
    assert 300 <= answer.status_code < 500
