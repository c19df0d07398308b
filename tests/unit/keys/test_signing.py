"""DESIGN 7: rotate every 90 days, published 14 days before use and 14 after."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
import time_machine
from flask import Flask
from joserfc import jwt
from sqlalchemy import select

from idp import housekeeping
from idp.audit.models import AuditEvent
from idp.errors import ConfigurationError
from idp.extensions import db, transaction
from idp.keys import kek, signing
from idp.keys.signing import ALGORITHMS
from idp.security import versions
from tests.support.settings import override
from tests.unit.keys.making import DAY, MOMENT, START, make, published, signs


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_signed_with_the_active_key_verifies_by_its_kid(empty: Flask, alg: str) -> None:
    make(alg)
    key = signing.active(alg)
    token = jwt.encode({"alg": alg, "kid": key.kid}, {"sub": "x"}, key, algorithms=[alg])
    decoded = jwt.decode(token, signing.verification_keys(), algorithms=[alg])
    assert decoded.claims == {"sub": "x"}


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_no_private_member_is_published(empty: Flask, alg: str) -> None:
    make(alg)
    (key,) = signing.public_jwks()["keys"]
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
    assert (key["alg"], key["use"]) == (alg, "sig")


def test_the_private_key_is_stored_wrapped(empty: Flask) -> None:
    make("RS256")
    (row,) = signing.listing()
    assert row.private.count(".") == 4
    assert "d" not in row.public


def test_without_a_key_the_error_says_how_to_make_one(empty: Flask) -> None:
    with pytest.raises(ConfigurationError, match="idp keys create"):
        signing.active("RS256")


def test_the_first_key_signs_at_once(empty: Flask, time: time_machine.Traveller) -> None:
    assert make() == signs()


def test_a_further_key_is_published_14_days_before_it_signs(
    empty: Flask, time: time_machine.Traveller
) -> None:
    first, second = make(), make()
    assert published() == {first, second}
    time.shift(14 * DAY - MOMENT)
    assert signs() == first
    time.shift(2 * MOMENT)
    assert signs() == second


def test_the_key_object_is_cached(empty: Flask) -> None:
    make()
    assert signing.active("ES256") is signing.active("ES256")


def test_nothing_is_due_until_14_days_before_the_end(
    empty: Flask, time: time_machine.Traveller
) -> None:
    make()
    time.shift(76 * DAY - MOMENT)
    assert housekeeping.rotate_keys() == []
    time.shift(2 * MOMENT)
    assert len(housekeeping.rotate_keys()) == 1
    assert housekeeping.rotate_keys() == []


def test_there_is_no_moment_without_a_signing_key(
    empty: Flask, time: time_machine.Traveller
) -> None:
    """A worker that looks late (here: 3 hours) must leave no gap between the old key and the new."""
    first = make()
    time.shift(76 * DAY + timedelta(hours=3))
    (second,) = housekeeping.rotate_keys()
    time.move_to(START + 90 * DAY - MOMENT)
    assert signs() == first
    time.move_to(START + 90 * DAY + MOMENT)
    assert signs() == second


def test_a_key_signs_on_when_nobody_made_its_successor(
    empty: Flask, time: time_machine.Traveller
) -> None:
    first = make()
    time.shift(95 * DAY)
    assert signs() == first
    (second,) = housekeeping.rotate_keys()
    time.shift(signing.CACHED)
    assert signs() == first
    time.shift(MOMENT)
    assert signs() == second
    assert published() == {first, second}


def test_a_key_stays_published_14_days_after_it_has_signed(
    empty: Flask, time: time_machine.Traveller
) -> None:
    first = make()
    time.shift(80 * DAY)
    (second,) = housekeeping.rotate_keys()
    time.move_to(START + 104 * DAY - MOMENT)
    assert published() == {first, second}
    time.move_to(START + 104 * DAY + MOMENT)
    assert published() == {second}


def test_an_algorithm_without_keys_gets_none_by_itself(
    empty: Flask, time: time_machine.Traveller
) -> None:
    make("ES256")
    time.shift(80 * DAY)
    housekeeping.rotate_keys()
    assert {key.alg for key in signing.listing()} == {"ES256"}


def test_rotation_waits_until_nobodys_cache_lacks_the_new_key(
    empty: Flask, time: time_machine.Traveller
) -> None:
    """Every process publishes it after two seconds; whoever asked just before may keep the answer."""
    first = make()
    with transaction():
        second = signing.rotate(signing.new_pair("ES256")).kid
    assert published() == {first, second}
    time.shift(signing.CACHED + timedelta(seconds=versions.FRESH_FOR))
    assert signs() == first
    time.shift(MOMENT)
    assert signs() == second
    assert published() == {first, second}


def test_rotation_overtakes_a_key_that_was_only_announced(
    empty: Flask, time: time_machine.Traveller
) -> None:
    make()
    announced = make()
    with transaction():
        fresh = signing.rotate(signing.new_pair("ES256")).kid
    time.shift(14 * DAY + MOMENT)
    assert signs() == fresh != announced


def test_rotation_lengthens_the_life_of_no_key(empty: Flask, time: time_machine.Traveller) -> None:
    make()
    time.shift(90 * DAY - MOMENT)
    ends = [(key.expire_at, key.known_until) for key in signing.listing()]
    with transaction():
        signing.rotate(signing.new_pair("ES256"))
    ended = [(key.expire_at, key.known_until) for key in signing.listing()]
    assert set(ends) <= set(ended)


def test_every_process_publishes_in_the_same_order(empty: Flask) -> None:
    """What one process tagged is the same for another (RFC 9110 8.8.3)."""
    first, announced = make(), make()
    with transaction():
        rotated = signing.rotate(signing.new_pair("ES256")).kid
    in_order = [key["kid"] for key in signing.public_jwks()["keys"]]
    assert in_order == [first, rotated, announced]


def test_a_key_of_another_key_encryption_key_is_named(empty: Flask, tmp_path: Path) -> None:
    kid = make()
    kek.create(tmp_path / "other.json")
    signing._cache.forget()
    with (
        override(empty, kek_file=tmp_path / "other.json"),
        pytest.raises(ConfigurationError, match=kid),
    ):
        signing.active("ES256")


def test_a_key_made_elsewhere_is_seen_within_two_seconds(
    empty: Flask, seconds: list[float]
) -> None:
    first = make()
    assert published() == {first}
    held_elsewhere = signing._cache._kept[db.engine]
    second = make()
    signing._cache._kept[db.engine] = held_elsewhere
    assert published() == {first}
    seconds[0] += 2
    assert published() == {first, second}


def test_of_several_workers_one_makes_the_successor(
    empty: Flask, time: time_machine.Traveller
) -> None:
    make()
    time.shift(80 * DAY)
    start = Barrier(4)

    def work() -> list[str]:
        with empty.app_context():
            db.session.connection()
            start.wait()
            return housekeeping.rotate_keys()

    with ThreadPoolExecutor(4) as pool:
        made = [future.result() for future in [pool.submit(work) for _ in range(4)]]
    assert sorted(map(len, made)) == [0, 0, 0, 1]
    assert len(signing.listing()) == 2


def test_a_successor_that_the_worker_makes_is_told(
    empty: Flask, time: time_machine.Traveller
) -> None:
    make()
    assert housekeeping.rotate_keys() == []
    time.shift(80 * DAY)
    (made,) = housekeeping.rotate_keys()
    (told,) = db.session.scalars(select(AuditEvent))
    assert (told.event, told.actor, told.details) == (
        "signing_key_created",
        "worker",
        {"kid": made},
    )
