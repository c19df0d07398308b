"""`idp clients test` finds what developers get wrong, and says what to do."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from idp.audit import events
from idp.cli.common import application
from idp.clients import manage
from idp.clients.client import ClientSecret
from idp.clients.registration import Registration
from idp.clock import now
from idp.extensions import db, transaction
from idp.oidc import refusals
from idp.oidc.grant_types import NO_CONSENT, NO_REFRESH_TOKEN
from tests.cli.conftest import Shell
from tests.support.application_server import Answers, serving
from tests.support.certificates import Authority
from tests.support.signing import make_key, public_set

SIGNS, RSA = make_key("ES256", "one"), make_key("RS256", "two")
NOBODY = "https://127.0.0.1:1"
"""Where nobody answers."""


@pytest.fixture
def near(ready: Shell) -> Shell:
    ready.set("IDP_CLIENT_NETWORKS", "127.0.0.0/8")
    return ready


@pytest.fixture
def answers() -> Answers:
    return {
        "/callback": (400, None),
        "/sector": (200, []),
        "/jwks": (200, public_set(SIGNS, RSA)),
        "/logout": (400, None),
    }


@pytest.fixture
def server(answers: Answers) -> Iterator[str]:
    with serving(answers) as url:
        yield url


def register(**changes: Any) -> None:
    values = {
        "client_name": "Archives",
        "redirect_uris": (f"{NOBODY}/callback",),
        "post_logout_redirect_uris": (f"{NOBODY}/",),
        "client_uri": f"{NOBODY}/",
    } | changes
    with application(), transaction():
        manage.create(Registration(**values), "archives")


def found(shell: Shell, what: str, code: int = 0) -> list[tuple[str, str]]:
    """Level and message of the findings about one thing."""
    result = shell.run("clients", "test", "archives", "--json")
    assert result.exit_code == code, result.output
    return [
        (one["level"], one["message"]) for one in json.loads(result.stdout) if one["what"] == what
    ]


def test_a_good_set_up_has_no_errors_and_people_can_read_it(
    near: Shell, server: str, answers: Answers
) -> None:
    answers["/sector"] = (200, [f"{NOBODY}/callback"])
    register(
        token_endpoint_auth_method="private_key_jwt",
        request_object_signing_alg="ES256",
        id_token_encrypted_response_alg="RSA-OAEP",
        jwks_uri=f"{server}/jwks",
        sector_identifier_uri=f"{server}/sector",
        backchannel_logout_uri=f"{server}/logout",
    )
    text = near.ok("clients", "test", "archives")
    for words in (
        "2 keys that can be used",
        "lists every redirect URI",
        "refuses what is no logout token",
    ):
        assert words in text
    assert "error" not in text
    assert (
        near.json("audit", "list", "--event", "looked_at")[0]["details"]["what"] == "clients test"
    )


def test_tls_is_looked_at_as_browsers_do(near: Shell, answers: Answers, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with serving(answers, authority.issue("127.0.0.1")) as url:
        register(redirect_uris=(f"{url}/callback", f"{url}/other", f"{NOBODY}/callback"))
        untrusted = found(near, "redirect_uris", 1)
        near.set("REQUESTS_CA_BUNDLE", str(authority.file))
        trusted = found(near, "redirect_uris")
    assert [level for level, _ in untrusted] == ["error", "error", "warning"]
    assert "certificate" in untrusted[0][1]
    assert [level for level, _ in trusted] == ["ok", "warning", "warning"]
    assert "404" in trusted[1][1]
    assert "IDP_CLIENT_NETWORKS" in trusted[2][1]


def test_only_ten_addresses_are_asked(near: Shell, server: str) -> None:
    """Each may take as long as its time-out."""
    register(redirect_uris=tuple(f"{NOBODY}/{number}" for number in range(11)))
    assert len(found(near, "redirect_uris")) == 10


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((500, None), "status 500"),
        ((200, []), "must be a JWK Set"),
        ((200, public_set()), "0 keys"),
        ((200, {"keys": [SIGNS.as_dict(private=True)]}), "private"),
    ],
)
def test_an_address_of_keys_has_keys(
    near: Shell, server: str, answers: Answers, answer: tuple[int, Any], words: str
) -> None:
    answers["/jwks"] = answer
    register(token_endpoint_auth_method="private_key_jwt", jwks_uri=f"{server}/jwks")
    (level, message), *_ = found(near, "jwks_uri", 1)
    assert level == "error"
    assert words in message


def test_there_is_a_key_for_everything_that_is_signed_or_encrypted(near: Shell) -> None:
    register(
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg="RS256",
        request_object_signing_alg="PS256",
        userinfo_encrypted_response_alg="RSA-OAEP",
        jwks=public_set(SIGNS, make_key("ES256", None)),
    )
    for field in (
        *("token_endpoint_auth_signing_alg", "request_object_signing_alg"),
        "userinfo_encrypted_response_alg",
    ):
        ((level, message),) = found(near, field, 1)
        assert (level, "publish one" in message) == ("error", True)
    assert "kid" in found(near, "jwks", 1)[-1][1]


def test_a_sector_lists_every_address(near: Shell, server: str) -> None:
    register(subject_type="pairwise", sector_identifier_uri=f"{server}/sector")
    ((level, message),) = found(near, "sector_identifier_uri", 1)
    assert (level, "array of all redirect_uris" in message) == ("error", True)


@pytest.mark.parametrize(
    ("status", "words"),
    [(200, "must check"), (204, "must check"), (403, "CSRF"), (404, "404"), (500, "500")],
)
def test_whoever_is_told_of_logouts_looks_at_what_it_is_told(
    near: Shell, server: str, answers: Answers, status: int, words: str
) -> None:
    answers["/logout"] = (status, None)
    register(backchannel_logout_uri=f"{server}/logout")
    ((level, message),) = found(near, "backchannel_logout_uri", 1)
    assert level == "error"
    assert words in message


def test_private_networks_are_left_alone(ready: Shell, server: str) -> None:
    register(backchannel_logout_uri=f"{server}/logout")
    ((level, message),) = found(ready, "backchannel_logout_uri", 1)
    assert (level, "IDP_CLIENT_NETWORKS" in message) == ("error", True)
    assert "no connection, or no public address" in message


@pytest.mark.parametrize(
    ("changes", "what", "words"),
    [
        ({"redirect_uris": ("http://localhost:1/cb",)}, "redirect_uris", "trial"),
        ({"post_logout_redirect_uris": ()}, "post_logout_redirect_uris", "signing out"),
        ({"client_uri": ""}, "initiate_login_uri", "no way back"),
        ({"first_party": False}, "policy_uri", "no privacy notice"),
        (
            {"grant_types": ("authorization_code", "refresh_token")},
            *("grant_types", "add offline_access"),
        ),
        (
            {"token_endpoint_auth_method": "none", "backchannel_logout_uri": "http://[::1]:1/"},
            *("token_endpoint_auth_method", "has a server"),
        ),
        ({"default_max_age": 0}, "default_max_age", "every single"),
        (
            {"token_endpoint_auth_signing_alg": "ES256"},
            *("token_endpoint_auth_signing_alg", "does nothing"),
        ),
        (
            {"userinfo_encrypted_response_enc": "A128GCM"},
            *("userinfo_encrypted_response_enc", "does nothing"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_contradicts_itself_is_a_warning(
    ready: Shell, changes: dict[str, Any], what: str, words: str
) -> None:
    register(**changes)
    result = ready.run("clients", "test", "archives")
    assert what in result.output
    ((level, message),) = found(ready, what, result.exit_code)
    assert (level, words in message) == ("warning", True)


def test_a_registration_that_needs_an_option_does_not_work_without(ready: Shell) -> None:
    ready.set("IDP_WEAKER_CLIENTS", "no-pkce")
    register(require_pkce=False)
    assert found(ready, "registration") == [("ok", "keeps every rule of this provider")]
    ready.set("IDP_WEAKER_CLIENTS", "")
    ((level, message),) = found(ready, "registration", 1)
    assert (level, "IDP_WEAKER_CLIENTS" in message) == ("error", True)


def end_secrets(moment: datetime) -> None:
    with application(), transaction():
        db.session.query(ClientSecret).update({"expires_at": moment})


def test_secrets_come_to_an_end(ready: Shell) -> None:
    register()
    assert found(ready, "secret") == [("ok", "one works, by client_secret_basic")]
    ready.ok("clients", "rotate-secret", "archives")
    assert "changed over" in found(ready, "secret")[0][1]
    end_secrets(now() + timedelta(hours=1))
    ((level, message),) = found(ready, "secret", 1)
    assert (level, "every secret ends" in message) == ("error", True)
    end_secrets(now())
    assert found(ready, "secret", 1) == [("error", "none works: `idp clients rotate-secret`")]


def test_what_was_refused_is_told_with_what_to_do(ready: Shell) -> None:
    register()
    assert found(ready, "refused requests") == [("ok", "none in a week")]
    with application(), transaction():
        for _ in range(2):
            events.client_refused(client_id="archives")
        events.request_refused(
            client_id="archives",
            where="authorize",
            error="invalid_request",
            why=refusals.NOT_REGISTERED,
        )
        events.request_refused(client_id="other", where="token", error="invalid_grant", why="x")
    ((level, message),) = found(ready, "refused at authorize")
    assert (level, "last slash" in message) == ("warning", True)
    ((_, message),) = found(ready, "refused at token")
    assert "2 times" in message
    assert "wrong secret" in message


@pytest.mark.parametrize(
    ("error", "why", "words"),
    [
        ("invalid_scope", "", "scopes of its registration"),
        ("invalid_target", "", "letter by letter"),
        ("unauthorized_client", "", "grant type"),
        ("invalid_grant", NO_REFRESH_TOKEN, "sign in again"),
        ("invalid_grant", NO_CONSENT, "took access back"),
        ("invalid_grant", "Invalid 'code' in request.", "same redirect_uri"),
        ("invalid_client", "It is registered with a, and came with b.", "--auth-method"),
    ],
)
def test_each_refusal_has_its_advice(ready: Shell, error: str, why: str, words: str) -> None:
    register()
    with application(), transaction():
        events.request_refused(client_id="archives", where="token", error=error, why=why)
    ((_, message),) = found(ready, "refused at token")
    assert words in message


def test_an_unknown_client_is_one_line(ready: Shell) -> None:
    assert "is not registered" in ready.refused("clients", "test", "nobody")
