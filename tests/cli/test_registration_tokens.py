from datetime import timedelta

import pytest

from idp.cli.common import application
from idp.clients import registration_tokens
from tests.cli.conftest import Shell
from tests.support.registering import Developer

ISSUE = ("clients", "registration-token", "--note", "test rig")


def test_a_token_is_shown_once_and_registers_so_many_applications(ready: Shell) -> None:
    ready.set("IDP_REGISTRATION", "token")
    result = ready.run(*ISSUE, "--uses", "2")
    assert "Good for 2 registrations until" in result.stderr
    assert "off" not in result.stderr
    with application() as app:
        developer = Developer(app)
        made = [developer.register(result.stdout.strip()).status_code for _ in range(3)]
        client_id = developer.known["client_id"]
    assert made == [201, 201, 401]
    shown = ready.json("clients", "show", client_id)
    assert (shown["registered_itself"], shown["kept_until"]) == (True, None)
    listed = ready.ok("clients", "registration-tokens", "--json")
    assert result.stdout.strip() not in listed + ready.ok("audit", "list", "--json")
    (event,) = ready.json("audit", "list", "--event", "registration_token_issued")
    assert event["details"] == {"number": 1, "note": "test rig", "uses": 2, "require_pkce": True}


def test_a_token_can_be_ended(ready: Shell) -> None:
    assert "IDP_REGISTRATION is off" in (result := ready.run(*ISSUE)).stderr
    assert [one["id"] for one in ready.json("clients", "registration-tokens")] == [1]
    ready.ok("clients", "end-registration-token", "1")
    assert ready.json("clients", "registration-tokens") == []
    assert "no token 1" in ready.refused("clients", "end-registration-token", "1")
    with application():
        assert registration_tokens.find(result.stdout.strip()) is None


def test_without_pkce_only_where_the_deployment_lets_it(ready: Shell) -> None:
    ready.set("IDP_REGISTRATION", "token")
    assert "IDP_WEAKER_CLIENTS" in ready.refused(*ISSUE, "--no-require-pkce")
    ready.set("IDP_WEAKER_CLIENTS", "no-pkce")
    lax = ready.run(*ISSUE, "--no-require-pkce", "--uses", "3").stdout.strip()
    strict = ready.run(*ISSUE).stdout.strip()
    assert [one["require_pkce"] for one in ready.json("clients", "registration-tokens")] == [
        *(False, True),
    ]
    with application() as app:
        developer = Developer(app)
        names = []
        for token, said in (
            (lax, {}),
            (lax, {"token_endpoint_auth_method": "none"}),
            (lax, {"application_type": "native", "redirect_uris": ["http://127.0.0.1/cb"]}),
            (strict, {}),
        ):
            developer.register(token, **said)
            names.append(developer.known["client_id"])
    assert [ready.json("clients", "show", name)["require_pkce"] for name in names] == [
        *(False, True, True, True),
    ]


@pytest.mark.parametrize("note", ["", " ", "a\x1b[31m"])
def test_a_token_says_what_it_is_for(ready: Shell, note: str) -> None:
    ready.refused("clients", "registration-token", "--note", note, code=2)


def test_a_token_lives_a_day_unless_said_otherwise(ready: Shell) -> None:
    ready.ok(*ISSUE)
    with application():
        (row,) = registration_tokens.listing()
        assert row.expires_at - row.created_at == pytest.approx(
            timedelta(days=1), abs=timedelta(seconds=5)
        )


def test_an_operator_is_told_what_an_application_can_change_back(ready: Shell) -> None:
    ready.set("IDP_REGISTRATION", "token")
    with application() as app:
        developer = Developer(app)
        developer.register(ready.run(*ISSUE).stdout.strip())
        client_id = developer.known["client_id"]
    update = ("clients", "update", client_id)
    assert "can change this back: dpop_bound_access_tokens.\n" in (
        ready.run(*update, "--require-dpop", "--userinfo-max-age", "600").stderr
    )
