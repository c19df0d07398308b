import json
from dataclasses import fields
from typing import Any

import pytest

from idp.cli.client_options import HELP
from idp.cli.common import application
from idp.cli.main import main
from idp.clients import registry
from idp.clients.registration import Registration
from idp.extensions import transaction
from idp.grants import consents
from tests.cli.conftest import Shell
from tests.support import portal
from tests.support.accounts import make_account
from tests.support.signing import make_key, public_set

URI = "https://portal.example/callback"


def create(shell: Shell, *more: str) -> dict[str, Any]:
    arguments = ("clients", "create", "--name", "Portail", "--redirect-uri", URI, *more)
    created: dict[str, Any] = shell.json(*arguments)
    return created


def matches(client_id: str, secret: str) -> bool:
    with application():
        found = registry.find(client_id)
        return bool(found and found.secret_matches(secret))


def test_a_secret_is_shown_once(ready: Shell) -> None:
    created = create(ready)
    assert matches(created["client_id"], created["client_secret"])
    for text in (
        ready.ok("clients", "list"),
        ready.ok("clients", "list", "--json"),
        ready.ok("clients", "show", created["client_id"]),
        ready.ok("clients", "show", created["client_id"], "--json"),
    ):
        assert created["client_secret"] not in text
        assert "digest" not in text


def test_people_see_the_secret_whole_and_are_told_to_copy_it(ready: Shell) -> None:
    result = ready.run("clients", "create", "--name", "Portail", "--redirect-uri", URI)
    assert "copy it now" in result.stderr
    line = next(line for line in result.stdout.splitlines() if line.startswith("client_secret "))
    assert len(line.split()[1]) == 43


def test_a_public_client_has_no_secret(ready: Shell) -> None:
    assert create(ready, "--auth-method", "none")["client_secret"] is None


def test_all_metadata_can_be_given(ready: Shell) -> None:
    ready.set("IDP_WEAKER_CLIENTS", "no-pkce")
    created = create(
        *(ready, "--id", "portal", "--redirect-uri", "http://[::1]:8001/cb"),
        *("--post-logout-redirect-uri", "https://portal.example/bye"),
        *("--client-uri", "https://portal.example/"),
        *("--initiate-login-uri", "https://portal.example/login"),
        *("--grant-type", "authorization_code", "--grant-type", "refresh_token"),
        *("--scope", "openid offline_access", "--auth-method", "client_secret_post"),
        *("--id-token-alg", "ES256", "--no-require-pkce", "--default-max-age", "3600"),
    )
    shown = ready.json("clients", "show", "portal")
    assert {**shown, "client_secret": created["client_secret"]} == created
    assert shown["redirect_uris"] == [URI, "http://[::1]:8001/cb"]
    assert shown["require_pkce"] is False
    assert shown["default_max_age"] == 3600


def test_a_file_says_what_options_say_and_options_win(ready: Shell) -> None:
    key = make_key("ES256")
    (ready.home / "portal.json").write_text(
        json.dumps(
            {
                "client_id": "ignored: see --id",
                "client_name": "Portail",
                "redirect_uris": [URI],
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks": public_set(key),
                "default_max_age": 60,
                "legacy_until": "2027-03-31",
            }
        )
    )
    created = ready.json(
        "clients", "create", "--id", "portal", "--from", "portal.json", "--name", "Autre"
    )
    assert created["client_id"] == "portal"
    assert created["client_name"] == "Autre"
    assert created["jwks"] == public_set(key)
    shown = ready.ok("clients", "show", created["client_id"])
    assert "resource_scope_words" not in shown, "nothing is said"
    told = shown.partition("\njwks ")[2].lstrip()
    assert json.JSONDecoder().raw_decode(told)[0] == created["jwks"]
    assert max(map(len, shown.splitlines())) < 100
    assert created["client_secret"] is None
    assert (created["default_max_age"], created["legacy_until"]) == (60, "2027-03-31")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"redirect_uris": "https://x.example/"}', "redirect_uris in the file"),
        ('{"require_pkce": "yes"}', "require_pkce in the file"),
        ('{"default_max_age": "60"}', "default_max_age in the file"),
        ('{"default_max_age": true}', "default_max_age in the file"),
        ('{"jwks": []}', "jwks in the file"),
        ('{"redirect_url": "x"}', "redirect_url is no client metadata of ours"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_field(
    ready: Shell, content: str, words: str
) -> None:
    (ready.home / "x.json").write_text(content)
    good = ("--name", "Portail", "--redirect-uri", URI)
    assert words in ready.refused("clients", "create", "--from", "x.json", *good)
    assert ready.json("clients", "list") == []


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_file_that_is_no_object_is_wrong_usage(ready: Shell, content: str) -> None:
    (ready.home / "x.json").write_text(content)
    assert "x.json" in ready.refused("clients", "create", "--from", "x.json", code=2)


def test_update_shows_what_changes_and_a_dry_run_changes_nothing(ready: Shell) -> None:
    before = create(ready, "--id", "portal")
    shown = ready.ok("clients", "update", "portal", "--name", "Autre", "--dry-run")
    assert '- client_name: "Portail"' in shown
    assert '+ client_name: "Autre"' in shown
    assert "would be updated" in shown
    assert ready.json("clients", "show", "portal")["client_name"] == before["client_name"]
    assert "is updated" in ready.ok("clients", "update", "portal", "--name", "Autre")
    assert "is as it was" in ready.ok("clients", "update", "portal", "--name", "Autre")


def test_every_field_has_an_option_and_words() -> None:
    names = {field.name for field in fields(Registration)}
    assert set(HELP) == names
    options = {
        name for one in main.commands["clients"].commands["create"].params for name in [one.name]
    }
    assert names <= options


@pytest.mark.parametrize("missing", ["--name", "--redirect-uri"])
def test_what_is_missing_is_named_as_it_is_typed(ready: Shell, missing: str) -> None:
    given = {"--name": "Portail", "--redirect-uri": URI}
    del given[missing]
    arguments = [part for pair in given.items() for part in pair]
    assert missing in ready.refused("clients", "create", *arguments, code=2)


def test_a_bad_address_is_one_line_and_registers_nothing(ready: Shell) -> None:
    bad = "http://portal.example/cb"
    said = ready.refused("clients", "create", "--name", "X", "--redirect-uri", bad)
    assert "redirect_uris must be https" in said
    assert ready.json("clients", "list") == []


def test_names_are_shown_as_they_are(ready: Shell) -> None:
    """Neither rich's markup nor a terminal's control characters act."""
    ready.ok("clients", "create", "--name", "A [/b] [red]", "--redirect-uri", "http://[::1]/")
    assert "A [/b] [red]" in ready.ok("clients", "list")
    assert "http://[::1]/" in ready.ok("clients", "list")


def test_update_changes_only_what_is_named(ready: Shell) -> None:
    before = create(ready, "--default-max-age", "60")
    ready.ok("clients", "update", before["client_id"], "--name", "Autre", "--default-max-age", "-1")
    after = ready.json("clients", "show", before["client_id"])
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"client_name", "default_max_age", "updated_at"}
    assert after["default_max_age"] is None


def test_what_is_said_in_languages_is_told_by_options_or_a_file(ready: Shell) -> None:
    """In the words of RFC 7591 2.2; an update leaves what it does not name, and "" takes away."""
    (ready.home / "portal.json").write_text(
        json.dumps({"client_name#fr-CH": "Portail", "logo_uri": "https://portal.example/l.svg"})
    )
    said = ("--in-language", "client_name#de=Portal = gut")
    created = create(ready, "--from", "portal.json", *said, "--no-first-party")
    assert created["client_name#de"] == "Portal = gut"
    assert created["first_party"] is False
    assert "client_name#fr-CH" not in created, "an option wins over the file, whole"
    shown = ready.ok("clients", "update", created["client_id"], "--from", "portal.json")
    assert '+ client_name#fr-CH: "Portail"' in shown
    assert "#de" not in shown
    shown = ready.ok("clients", "update", created["client_id"], "--in-language", "client_name#de=")
    assert '- client_name#de: "Portal = gut"' in shown
    assert "client_name#de" not in ready.json("clients", "show", created["client_id"])


def test_a_scope_that_moves_takes_no_consent_along(ready: Shell) -> None:
    api = ("--resource-uri", "https://api.example/", "--resource-scope")
    first = create(ready, *api, "read read_all write")["client_id"]
    with application():
        account = make_account()
        row = portal.register().row_id
        with transaction():
            consents.give(account, row, frozenset({"openid", "read", "read_all", "write"}))
    ready.ok("clients", "update", first, "--resource-scope", "read_all write", "--dry-run")
    ready.ok("clients", "update", first, "--resource-scope", "read_all write")
    with application():
        assert consents.agreed(account, row) == {"openid", "read_all", "write"}
    ready.ok("clients", "delete", first, "--yes")
    with application():
        assert consents.agreed(account, row) == {"openid"}


def test_what_a_scope_allows_is_told_by_options(ready: Shell) -> None:
    api = ("--resource-uri", "https://api.example/", "--resource-scope", "read")
    words = ("--scope-words", "read=lire vos factures", "--scope-words", "read#en=read your bills")
    made = create(ready, *api, *words)
    said = {"read": "lire vos factures", "read#en": "read your bills"}
    assert made["resource_scope_words"] == said
    update = ("clients", "update", made["client_id"], "--scope-words")
    assert "read=lire vos factures" in ready.refused(*update, "read", code=2)
    ready.ok(*update, "")
    assert ready.json("clients", "show", made["client_id"])["resource_scope_words"] == {}


@pytest.mark.parametrize("text", ["client_name=Portal", "client_name#de", ""])
def test_what_is_said_in_no_language_is_wrong_usage(ready: Shell, text: str) -> None:
    good = ("--name", "Portail", "--redirect-uri", URI, "--in-language", text)
    assert "client_name#de=Archiv" in ready.refused("clients", "create", *good, code=2)


def test_what_is_shown_can_come_back_also_by_standard_input(ready: Shell) -> None:
    name = create(ready, "--policy-uri", "https://portal.example/privacy")["client_id"]
    shown = ready.ok("clients", "show", name, "--json")
    same = ready.ok("clients", "update", name, "--from", "-", answer=shown)
    assert "is as it was" in same
    sent = '{"client_name": "Autre", "response_types": ["code"], "client_id_issued_at": 1}'
    other = ready.ok("clients", "update", name, "--from", "-", answer=sent)
    assert '+ client_name: "Autre"' in other


def test_update_replaces_and_empties_lists(ready: Shell) -> None:
    bye = "https://portal.example/bye"
    client_id = create(ready, "--post-logout-redirect-uri", bye)["client_id"]
    ready.ok("clients", "update", client_id, "--redirect-uri", "https://new.example/")
    ready.ok("clients", "update", client_id, "--post-logout-redirect-uri", "")
    after = ready.json("clients", "show", client_id)
    assert after["redirect_uris"] == ["https://new.example/"]
    assert after["post_logout_redirect_uris"] == []


def test_the_last_callback_cannot_be_taken_away(ready: Shell) -> None:
    client_id = create(ready)["client_id"]
    said = ready.refused("clients", "update", client_id, "--redirect-uri", "")
    assert "at least one address" in said


def test_a_resource_server_and_a_machine_that_uses_it(ready: Shell) -> None:
    api = ready.json(
        *("clients", "create", "--name", "API", "--grant-type", ""),
        *("--resource-uri", "https://api.example/", "--resource-scope", "read write"),
    )
    assert (api["grant_types"], api["scope"], api["resource_token_format"]) == ([], "", "jwt")
    machine = ready.json(
        *("clients", "create", "--name", "Batch", "--grant-type", "client_credentials"),
        *("--resource", "https://api.example/", "--scope", "read"),
    )
    assert (machine["redirect_uris"], machine["resources"]) == ([], ["https://api.example/"])
    said = ready.refused("clients", "update", machine["client_id"], "--scope", "delete")
    assert "scope must be of" in said
    assert "'delete'" in said


def test_who_forgot_the_api_of_a_scope_is_told_which(ready: Shell) -> None:
    ready.ok(
        *("clients", "create", "--name", "API", "--grant-type", "", "--resource-scope", "read"),
        *("--resource-uri", "https://api.example/"),
    )
    name = create(ready)["client_id"]
    said = ready.refused("clients", "update", name, "--scope", "openid read")
    assert "read is of https://api.example/, which resources (--resource) must name" in said


def test_whoever_is_left_with_a_scope_that_is_gone_is_named_at_once(ready: Shell) -> None:
    api = ("--id", "api", "--name", "API", "--grant-type", "", "--resource-scope", "read write")
    ready.ok("clients", "create", *api, "--resource-uri", "https://api.example/")
    its = ("--resource", "https://api.example/", "--scope", "openid read")
    create(ready, "--id", "reader", *its)
    create(ready, "--id", "other")
    for scope, said in (("read", ""), ("write", "are gone: update reader.")):
        done = ready.run("clients", "update", "api", "--resource-scope", scope)
        assert (said in done.stderr, "other" in done.stderr) == (True, False)
        assert bool(done.stderr) == bool(said)


def test_an_address_of_a_scheme_of_its_own_is_refused_with_what_is_taken(ready: Shell) -> None:
    name = create(ready)["client_id"]
    for uri in ("com.example.app:/callback", "app://callback"):
        said = ready.refused("clients", "update", name, "--redirect-uri", uri)
        assert "an application on a device has one of its own, or http://127.0.0.1/" in said


def test_levels_are_those_that_can_be_reached(ready: Shell) -> None:
    client_id = create(ready, "--userinfo-acr", "urn:seuil:acr:sms")["client_id"]
    said = ready.refused("clients", "update", client_id, "--userinfo-acr", "urn:x")
    assert "there are: urn:seuil:acr:email, urn:seuil:acr:sms" in said


def test_update_of_nothing_is_wrong_usage(ready: Shell) -> None:
    client_id = create(ready)["client_id"]
    assert "Name something" in ready.refused("clients", "update", client_id, code=2)


def test_two_secrets_work_while_an_application_changes_over(ready: Shell) -> None:
    created = create(ready)
    client_id, former = created["client_id"], created["client_secret"]
    fresh = ready.ok("clients", "rotate-secret", client_id, "--overlap-hours", "1").strip()
    assert matches(client_id, former)
    assert matches(client_id, fresh)
    shown = ready.json("clients", "show", client_id)
    assert shown["secrets"] == 2
    assert shown["former_secret_until"]
    ready.ok("clients", "rotate-secret", client_id, "--overlap-hours", "0")
    assert not matches(client_id, former)
    assert not matches(client_id, fresh)


def test_delete_names_those_who_have_tokens_for_it(ready: Shell) -> None:
    uri = "https://api.example/"
    api = ("--grant-type", "", "--resource-uri", uri, "--resource-scope", "read")
    made = ready.json("clients", "create", "--name", "API", *api)["client_id"]
    user = create(ready, "--resource", uri)["client_id"]
    assert user in ready.run("clients", "delete", made, answer="n\n").stderr


def test_delete_asks_first(ready: Shell) -> None:
    client_id = create(ready)["client_id"]
    assert ready.run("clients", "delete", client_id, answer="n\n").exit_code == 1
    assert ready.json("clients", "show", client_id)
    ready.ok("clients", "delete", client_id, "--yes")
    assert ready.json("clients", "list") == []


@pytest.mark.parametrize(
    "arguments",
    [("show",), ("update", "--name", "x"), ("rotate-secret",), ("delete",)],
)
def test_an_unknown_client_is_one_line(ready: Shell, arguments: tuple[str, ...]) -> None:
    command, *options = arguments
    said = ready.refused("clients", command, "nobody", *options)
    assert "is not registered; see `idp clients list`" in said
