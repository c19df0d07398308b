"""`idp check` says what is wrong with a deployment before users find out."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from idp import clock
from idp.cli.common import application
from idp.delivery import outbox
from idp.extensions import transaction
from idp.keys import kek
from tests.cli.conftest import Shell
from tests.support.inbox import Inbox
from tests.support.messages import code_message
from tests.support.ports import free_port


def findings(shell: Shell, *, code: int) -> dict[str, list[tuple[str, str]]]:
    """What was looked at to (level, message)."""
    result = shell.run("check", "--json")
    assert result.exit_code == code, result.output
    found: dict[str, list[tuple[str, str]]] = {}
    for row in as_rows(result.stdout):
        found.setdefault(row["what"], []).append((row["level"], row["message"]))
    return found


def as_rows(text: str) -> list[dict[str, Any]]:

    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def only(found: dict[str, list[tuple[str, str]]], what: str) -> tuple[str, str]:
    (one,) = found[what]
    return one


def test_a_sound_deployment_has_no_error(ready: Shell, inbox: Inbox, sources: Path) -> None:
    ready.set("IDP_SMS_URL", inbox.sms_url)
    ready.set("IDP_LEGACY_SOURCES", str(sources))
    ready.ok("clients", "create", "--name", "X", "--redirect-uri", "https://portal.example/")
    found = findings(ready, code=0)
    for what in ("database", "signing keys", "clients", "outbox", "smtp", "sms", "legacy"):
        assert {level for level, _message in found[what]} == {"ok"}, what
    assert "error" not in ready.ok("check")


def test_an_empty_deployment_says_all_that_is_missing(shell: Shell) -> None:
    found = findings(shell, code=1)
    assert "idp keys create" in only(found, "key-encryption key")[1]
    assert "idp db upgrade" in only(found, "database")[1]
    assert only(found, "smtp")[0] == "ok"
    assert only(found, "sms")[0] == "warning"
    assert only(found, "legacy")[0] == "warning"
    assert "configuration" not in found


def test_the_database_is_named_as_it_is_used(shell: Shell) -> None:
    shell.set("IDP_DATABASE_URL", "sqlite:///here.db")
    assert f"{shell.home}/here.db" in only(findings(shell, code=1), "engine")[1]


def test_no_signing_key_is_an_error_and_no_client_a_warning(shell: Shell) -> None:
    shell.ok("db", "upgrade")
    kek.create(shell.home / "keys" / "kek.json")
    found = findings(shell, code=1)
    assert [level for level, _message in found["signing keys"]] == ["error", "error"]
    assert only(found, "clients")[0] == "warning"


def test_a_key_file_that_others_can_read_is_an_error(ready: Shell) -> None:
    (ready.home / "keys" / "kek.json").chmod(0o640)
    level, message = only(findings(ready, code=1), "key-encryption key")
    assert level == "error"
    assert "chmod 600" in message


def test_keys_wrapped_by_another_key_encryption_key_are_an_error(ready: Shell) -> None:
    kek.create(ready.home / "other.json")
    ready.set("IDP_KEK_FILE", str(ready.home / "other.json"))
    message = only(findings(ready, code=1), "signing keys")[1]
    assert "another key-encryption key" in message


def test_a_key_that_ends_without_a_successor_is_a_warning(ready: Shell) -> None:
    with time_machine.travel(clock.now() + timedelta(days=89), tick=True):
        found = findings(ready, code=0)
    assert {level for level, _message in found["signing keys"]} == {"ok", "warning"}


def test_a_dead_mail_server_is_an_error(ready: Shell) -> None:
    ready.set("IDP_SMTP_PORT", str(free_port()))
    assert only(findings(ready, code=1), "smtp")[0] == "error"


def test_a_mail_server_without_tls_is_an_error_where_tls_is_asked_for(ready: Shell) -> None:
    ready.set("IDP_SMTP_SECURITY", "starttls")
    message = only(findings(ready, code=1), "smtp")[1]
    assert "STARTTLS" in message
    assert "IDP_SMTP_SECURITY" in message


def test_options_that_do_not_go_together_are_named_once(ready: Shell) -> None:
    ready.set("IDP_TERMS_VERSION", "2026-01")
    assert ready.refused("clients", "list").startswith("Error: IDP_TERMS_VERSION ")


def test_a_client_of_an_api_that_is_gone_is_an_error(ready: Shell) -> None:
    home = ("--redirect-uri", "https://portal.example/")
    api = ("--resource-uri", "https://api.example/", "--resource-scope", "read")
    ready.ok("clients", "create", "--id", "api", "--name", "API", *home, *api)
    its = ("--resource", "https://api.example/", "--scope", "openid read")
    ready.ok("clients", "create", "--id", "reader", "--name", "Reader", *home, *its)
    ready.ok("clients", "delete", "api", "--yes")
    gone, count = findings(ready, code=1)["clients"]
    assert gone[0] == "error"
    assert gone[1].startswith("reader: resources has no such resource server")
    assert count == ("ok", "1 registered")


def test_mail_in_clear_over_a_network_is_an_error(ready: Shell) -> None:
    ready.set("IDP_SMTP_HOST", "mail.example.org")
    assert "IDP_SMTP_SECURITY" in only(findings(ready, code=1), "routes")[1]


def test_a_dead_sms_gateway_is_an_error(ready: Shell) -> None:
    ready.set("IDP_SMS_URL", f"http://127.0.0.1:{free_port()}/sms")
    assert only(findings(ready, code=1), "sms")[0] == "error"


def test_codes_in_clear_to_a_gateway_are_an_error_in_production(ready: Shell, inbox: Inbox) -> None:
    ready.set("IDP_ISSUER", "https://login.example.org")
    ready.set("IDP_SMS_URL", inbox.sms_url)
    found = findings(ready, code=1)
    assert ("error", "IDP_SMS_URL is not https: codes would travel in clear") in found["sms"]
    assert only(found, "issuer")[0] == "ok"
    assert only(found, "proxy")[0] == "warning"
    assert ("warning", "IDP_MAIL_FROM is no-reply@localhost: it will be taken for spam") in found[
        "smtp"
    ]


ROUTES = """
[[mail]]
name = "main"
host = "localhost"
port = {good}
security = "none"

[[mail]]
name = "spare"
host = "localhost"
port = {dead}
security = "none"

[[sms]]
name = "swiss"
type = "http"
url = "{gateway}"
prefixes = ["+41"]
json = {{ to = "{{to}}", text = "{{text}}" }}

[[sms]]
name = "centre"
type = "smpp"
host = "127.0.0.1"
port = {dead}
prefixes = ["+33"]
system_id = "seuil"
password = "hidden"
sender = "Seuil"
"""


def test_every_route_is_looked_at(ready: Shell, inbox: Inbox) -> None:
    path = ready.home / "routes.toml"
    path.write_text(ROUTES.format(good=inbox.smtp_port, dead=free_port(), gateway=inbox.sms_url))
    ready.set("IDP_DELIVERY_ROUTES", str(path))
    ready.set("IDP_SMS_URL", inbox.sms_url)
    found = findings(ready, code=1)
    assert found["smtp"][0] == ("ok", "main: answers")
    assert found["smtp"][1][0] == "error"
    assert found["smtp"][1][1].startswith("spare: localhost:")
    assert found["sms"][0] == ("ok", "swiss: answers")
    assert found["sms"][1][0] == "error"
    assert "centre" in found["sms"][1][1]
    warnings = [said for level, said in found["sms"] if level == "warning"]
    assert "IDP_SMS_URL does nothing" in warnings[0]
    assert "no route for numbers of LI, DE" in warnings[1]
    assert "hidden" not in str(found)


def test_a_wrong_routes_file_is_one_error(ready: Shell) -> None:
    path = ready.home / "routes.toml"
    path.write_text('[[mail]]\nname = "main"\ncolour = "red"\nhost = "h"\n')
    ready.set("IDP_DELIVERY_ROUTES", str(path))
    assert only(findings(ready, code=1), "routes") == (
        "error",
        f"{path}: route main: unknown option colour",
    )


def test_a_plain_http_issuer_is_a_warning(ready: Shell) -> None:
    assert only(findings(ready, code=0), "issuer")[0] == "warning"


NOWHERE = """[[source]]
name = "portail"
type = "sql"
url = "sqlite:////nowhere/p.db"
query = "SELECT 1 WHERE 1 = :identifier"
columns = {key = "id", password_hash = "p"}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot read"),
        ("nonsense", "is not TOML"),
        (NOWHERE, "portail does not answer"),
    ],
)
def test_an_old_store_that_cannot_be_asked_is_an_error(
    ready: Shell, text: str | None, said: str
) -> None:
    path = ready.home / "sources.toml"
    if text is not None:
        path.write_text(text)
    ready.set("IDP_LEGACY_SOURCES", str(path))
    assert said in only(findings(ready, code=1), "legacy")[1]


def test_a_copy_without_rows_is_a_warning(ready: Shell) -> None:
    path = ready.home / "sources.toml"
    path.write_text('[[source]]\nname = "portail"\ntype = "imported"\n')
    ready.set("IDP_LEGACY_SOURCES", str(path))
    level, said = only(findings(ready, code=0), "legacy")
    assert level == "warning"
    assert "idp legacy import portail FILE" in said


def test_an_unreachable_database_is_an_error_and_the_rest_is_still_looked_at(
    ready: Shell,
) -> None:
    ready.set("IDP_DATABASE_URL", "sqlite:////nowhere/at/all.db")
    found = findings(ready, code=1)
    assert "cannot be reached" in only(found, "database")[1]
    assert "smtp" in found


def test_a_misspelt_option_is_a_warning(ready: Shell) -> None:
    ready.set("IDP_SMTP_HOTS", "mail.example.org")
    assert "IDP_SMTP_HOTS" in only(findings(ready, code=0), "options")[1]


def test_each_wrong_option_is_an_error_of_its_own(ready: Shell) -> None:
    ready.set("IDP_ISSUER", "x")
    ready.set("IDP_CODE_TRIES", "0")
    levels = [level for level, _message in findings(ready, code=1)["options"]]
    assert levels == ["error", "error"]


def test_messages_that_nobody_delivers_are_a_warning(ready: Shell) -> None:
    message = code_message("jeanne@example.ch")
    with application(), transaction():
        outbox.enqueue(message, expires_at=clock.now() + timedelta(hours=1), masked="j•••")
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=True):
        level, said = only(findings(ready, code=0), "outbox")
    assert level == "warning"
    assert "idp worker" in said


def test_purge_says_what_went(ready: Shell) -> None:
    gone = ready.json("purge")
    assert set(gone.values()) == {0}
    assert "outbox" in gone
