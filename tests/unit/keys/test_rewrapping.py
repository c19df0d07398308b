"""Another key-encryption key: everything of use is wrapped anew, nothing stops meanwhile."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from idp import clock, rewrapping
from idp.challenges.challenge import Challenge
from idp.challenges.issue import code_of
from idp.delivery.models import OutboxMessage
from idp.extensions import db, transaction
from idp.keys import kek, signing, wrapping
from tests.support import outbox
from tests.support.rows import make

ROOM = Path(signing.__file__).parents[1]
PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@pytest.fixture
def file(empty: Flask, tmp_path: Path) -> Path:
    return tmp_path / "kek.json"


def challenge(**changes: object) -> Challenge:
    context = f"c{len(changes)}"
    secret = f"{context}.{wrapping.wrap(PLAIN, f'challenge:{context}')}"
    alive = {"closed_at": None, "expires_at": clock.now() + timedelta(minutes=9)}
    with transaction():
        row = make(Challenge.__table__, **{"secret": secret, **alive, **changes})
    made = db.session.get(Challenge, row)
    assert made
    return made


def signing_key() -> str:
    with transaction():
        return signing.create(signing.new_pair("ES256")).kid


@pytest.fixture
def wrapped(file: Path) -> Challenge:
    """One secret of each kind, wrapped with a key that another has just taken the turn of."""
    outbox.leave()
    signing_key()
    left = challenge()
    kek.add(file)
    kek.turn(file)
    return left


def lost() -> int:
    return sum(counts[rewrapping.UNREADABLE] for counts in rewrapping.look().values())


def test_everything_of_use_is_wrapped_anew_and_opens_as_before(
    wrapped: Challenge, file: Path
) -> None:
    before = code_of(wrapped.secret, 7)
    former = kek.ring().keys.keys() - {kek.ring().current}
    assert [set(counts) for counts in rewrapping.look().values()] == [former] * 3
    assert rewrapping.rewrap() == {"signing_key": 1, "challenge": 1, "outbox": 1}
    assert rewrapping.rewrap() == {"signing_key": 0, "challenge": 0, "outbox": 0}
    kek.drop(file, leaked=False)
    db.session.expire_all()
    signing._cache.forget()
    assert lost() == 0
    assert signing.active("ES256").kid
    assert code_of(wrapped.secret, 7) == before
    (message,) = outbox.rows()
    assert b"someone@example.ch" in wrapping.unwrap(message.payload, f"outbox:{message.uid}")


def test_while_both_keys_are_there_everything_opens_at_every_step(wrapped: Challenge) -> None:
    for act in (rewrapping.look, rewrapping.rewrap):
        signing._cache.forget()
        assert signing.active("ES256").kid
        assert code_of(wrapped.secret, 7)
        act()
        db.session.expire_all()


def test_whoever_was_stopped_begins_again_and_goes_on(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _number in range(5):
        outbox.leave()
    kek.add(file)
    kek.turn(file)
    monkeypatch.setattr(rewrapping, "_BATCH", 2)
    real, taken = wrapping.rewrap, []

    def stopped(blob: str) -> str:
        taken.append(blob)
        if len(taken) == 4:
            raise KeyboardInterrupt
        return real(blob)

    monkeypatch.setattr(wrapping, "rewrap", stopped)
    with pytest.raises(KeyboardInterrupt):
        rewrapping.rewrap()
    assert sorted(rewrapping.look()["outbox"].values()) == [2, 3]
    assert rewrapping.rewrap()["outbox"] == 3
    assert len(rewrapping.look()["outbox"]) == 1


def test_what_changed_meanwhile_is_left_alone(
    wrapped: Challenge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that was sent between the look at it and the write stays erased."""
    real, (message,) = wrapping.rewrap, outbox.rows()
    payload = message.payload

    def sent_meanwhile(blob: str) -> str:
        if blob == payload:
            with transaction():
                db.session.query(OutboxMessage).update({"payload": None})
        return real(blob)

    monkeypatch.setattr(wrapping, "rewrap", sent_meanwhile)
    assert rewrapping.rewrap()["outbox"] == 0
    assert [row.payload for row in outbox.rows()] == [None]


def test_what_nothing_opens_holds_nobody_up(wrapped: Challenge, file: Path) -> None:
    kek.drop(file, leaked=False)
    assert lost() == 3
    assert sum(rewrapping.rewrap().values()) == 0
    assert lost() == 3


@pytest.mark.parametrize("over", ["closed_at", "expires_at"])
def test_a_code_that_is_over_is_nobodys_business(file: Path, over: str) -> None:
    challenge(**{over: clock.now()})
    assert sum(rewrapping.look()["challenge"].values()) == 0


def test_nothing_else_wraps() -> None:
    """Whoever wraps in another place must be rewrapped too: see `rewrapping._COLUMNS`."""
    found = {
        str(path.relative_to(ROOM))
        for path in ROOM.rglob("*.py")
        if re.search(r"wrapping\.wrap\(|wrapping import .*\bwrap\b", path.read_text())
    }
    assert found == {"keys/signing.py", "challenges/issue.py", "delivery/outbox.py"}
