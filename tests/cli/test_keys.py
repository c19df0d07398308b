"""`idp keys revoke` and `idp keys rewrap`: what they do, what they say, what they leave behind."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp import clock
from idp.audit.models import AuditEvent
from idp.cli.common import application, database_only
from idp.extensions import db, transaction
from idp.keys import signing
from idp.keys.models import SigningKey
from tests.cli.conftest import Shell
from tests.cli.record import seal

WHY = ("--reason", "laptop stolen", "--yes")


def details(shell: Shell, event: str) -> list[dict[str, str]]:
    with database_only():
        rows = db.session.scalars(select(AuditEvent).where(AuditEvent.event == event))
        return [row.details for row in rows]


def states(shell: Shell, alg: str) -> dict[str, str]:
    return {key["kid"]: key["state"] for key in shell.json("keys", "list") if key["alg"] == alg}


def test_a_revoked_key_is_gone_at_once_and_another_signs(ready: Shell) -> None:
    (kid,) = states(ready, "RS256")
    ready.ok("clients", "create", "--name", "Shop", "--redirect-uri", "https://shop.example/cb")
    said = ready.ok("keys", "revoke", kid, *WHY)
    after = states(ready, "RS256")
    assert sorted(after.values()) == ["retired", "signing"]
    assert after.pop(kid) == "retired"
    (other,) = after
    assert f"RS256 key {other} signs now" in said
    assert "end all of their own sessions" in said
    assert "Shop" in said
    assert details(ready, "signing_key_revoked") == [
        {"kid": kid, "successor": other, "why": "laptop stolen"}
    ]


def test_relying_parties_of_other_algorithms_are_not_named(ready: Shell) -> None:
    ready.ok("clients", "create", "--name", "Shop", "--redirect-uri", "https://shop.example/cb")
    (kid,) = states(ready, "ES256")
    assert "Shop" not in ready.ok("keys", "revoke", kid, *WHY)


def test_revoking_asks_for_a_reason_and_before_it_acts(ready: Shell) -> None:
    (kid,) = states(ready, "RS256")
    assert "--reason" in ready.refused("keys", "revoke", kid, "--yes", code=2)
    assert "write a reason" in ready.refused("keys", "revoke", kid, "--reason", " ", code=2)
    assert "Aborted" in ready.run("keys", "revoke", kid, *WHY[:2], answer="n\n").stderr
    assert states(ready, "RS256") == {kid: "signing"}


def test_what_is_not_published_cannot_be_revoked(ready: Shell) -> None:
    (kid,) = states(ready, "RS256")
    ready.ok("keys", "revoke", kid, *WHY)
    for name in (kid, "nobody", "-x", "é\0"):
        assert "no key that is believed" in ready.refused("keys", "revoke", name, *WHY)
    assert len(states(ready, "RS256")) == 2


def test_a_key_that_time_has_retired_is_believed_no_more_after_it_was_revoked(ready: Shell) -> None:
    """Its public half still reads hints, so whoever stole the private one could make some."""
    (kid,) = states(ready, "RS256")
    ready.ok("keys", "rotate", "--alg", "RS256")
    with application(), transaction():
        row = db.session.query(SigningKey).filter_by(kid=kid).one()
        row.expire_at = row.retire_at = over = clock.now() - timedelta(days=1)
    with application():
        assert kid in {key.kid for key in signing.verification_keys().keys}
    ready.ok("keys", "revoke", kid, *WHY)
    with application():
        assert kid not in {key.kid for key in signing.verification_keys().keys}
        assert db.session.query(SigningKey).filter_by(kid=kid).one().retire_at == over


def test_a_leaked_key_is_not_kept_by_who_forgot_to_turn(ready: Shell) -> None:
    (old,) = (row["key"] for row in ready.json("keys", "rewrap"))
    ready.ok("keys", "rewrap", "add")
    ready.ok("keys", "rewrap", "values")
    said = ready.refused("keys", "rewrap", "drop", "--leaked", "--yes")
    assert f"key {old} wraps" in said
    assert "`idp keys rewrap turn`" in said
    ready.ok("keys", "rewrap", "turn", "--yes")
    ready.ok("keys", "rewrap", "values")
    assert f"Key {old} is gone" in ready.ok("keys", "rewrap", "drop", "--leaked", "--yes")


def test_behind_a_link_the_file_is_replaced(ready: Shell) -> None:
    link = ready.home / "keys" / "kek.json"
    link = link if link.exists() else next(ready.home.rglob("kek.json"))
    real = link.with_name("real.json")
    link.rename(real)
    link.symlink_to(real)
    ready.ok("keys", "rewrap", "add")
    assert link.is_symlink()
    assert len(json.loads(real.read_text())["keys"]) > 1


def test_the_whole_way_to_another_key_encryption_key(ready: Shell) -> None:
    before = ready.json("keys", "rewrap")
    assert [row["signing_key"] for row in before] == [2]
    ready.ok("keys", "rewrap", "add")
    assert ready.json("keys", "rewrap")[0] == before[0]
    ready.ok("keys", "rewrap", "turn", "--yes")
    assert ready.json("keys", "rewrap")[1] == {**before[0], "wraps": False}
    assert "2 secrets need" in ready.refused("keys", "rewrap", "drop", "--yes")
    assert "signing_key 2" in ready.ok("keys", "rewrap", "values")
    ready.ok("keys", "rewrap", "drop", "--yes")
    (after,) = ready.json("keys", "rewrap")
    assert (after["signing_key"], after["wraps"]) == (2, True)
    assert after["key"] != before[0]["key"]
    ready.ok("keys", "rotate")
    steps = [told["step"] for told in details(ready, "key_encryption_key_changed")]
    assert steps == ["add", "turn", "values", "drop"]


def test_a_replacement_that_was_begun_is_not_forgotten(ready: Shell) -> None:
    ready.ok("keys", "rewrap", "add")
    found = json.loads(ready.run("check", "--json").stdout)
    (said,) = [one for one in found if one["what"] == "key-encryption key"]
    assert (said["level"], "idp keys rewrap" in said["message"]) == ("warning", True)


def test_looking_changes_nothing(ready: Shell) -> None:
    file = ready.home / "keys" / "kek.json"
    before = file.read_text()
    ready.ok("keys", "rewrap")
    assert file.read_text() == before
    assert details(ready, "key_encryption_key_changed") == []


@pytest.fixture
def replaced(ready: Shell) -> Shell:
    """Another key wraps, and nothing needs the former one; events are sealed."""
    seal()
    for step in ("add", "turn", "values"):
        ready.ok("keys", "rewrap", step, "--yes")
    seal()
    return ready


def test_the_audit_chain_goes_on_when_the_key_is_replaced(replaced: Shell) -> None:
    replaced.ok("keys", "rewrap", "drop", "--yes")
    seal()
    assert replaced.json("audit", "verify")["verified"] == 7


def test_after_a_leak_the_chain_begins_anew_under_another_secret(replaced: Shell) -> None:
    assert "idp audit restart" in replaced.ok("keys", "rewrap", "drop", "--leaked", "--yes")
    verdict = replaced.run("audit", "verify", "--json")
    assert json.loads(verdict.stdout)["faults"][0]["kind"] == "chain-row"
    replaced.ok("audit", "restart", "--why", "key leaked", "--yes")
    seal()
    assert replaced.json("audit", "verify")["sound"]


def test_a_key_that_was_rotated_a_moment_ago_is_not_rotated_again(ready: Shell) -> None:
    first = ready.ok("keys", "rotate", "--alg", "RS256")
    made = {key["kid"] for key in ready.json("keys", "list")}
    said = ready.run("keys", "rotate").output
    assert "ES256 key" in said
    (kid,) = [kid for kid in made if kid in first]
    assert f"RS256 key {kid} is made already, and signs from" in said
    (other,) = [key for key in ready.json("keys", "list") if key["kid"] not in made]
    assert other["alg"] == "ES256"


@pytest.mark.parametrize("step", ["turn", "drop"])
def test_steps_in_another_order_are_refused_in_one_line(ready: Shell, step: str) -> None:
    for asked in ((), ("--yes",)):
        assert "one key only" in ready.refused("keys", "rewrap", step, *asked), "no question before"
    ready.ok("keys", "rewrap", "add")
    assert "two keys already" in ready.refused("keys", "rewrap", "add")
    assert "--leaked goes with drop" in ready.refused("keys", "rewrap", "turn", "--leaked", code=2)
    assert "Aborted" in ready.run("keys", "rewrap", step, answer="n\n").stderr
