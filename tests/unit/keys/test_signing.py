"""DESIGN 7: rotate every 90 days, published 14 days before use and 14 after."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
import time_machine
from flask import Flask
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from sqlalchemy import select

from idp import housekeeping
from idp.audit.models import AuditEvent
from idp.errors import ConfigurationError
from idp.extensions import db, transaction
from idp.keys import kek, signing
from idp.keys.signing import ALGORITHMS
from idp.security import versions
from tests.support.settings import override

START = datetime(2027, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MOMENT = timedelta(seconds=30)


@pytest.fixture
def time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def make(alg: str = "ES256") -> str:
    with transaction():
        return signing.create(signing.new_pair(alg)).kid


def signs(alg: str = "ES256") -> str | None:
    return signing.active(alg).kid


def published() -> set[str]:
    return {key["kid"] for key in signing.public_jwks()["keys"]}


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


def test_a_retired_key_is_published_no_more_and_verifies_nothing(empty: Flask) -> None:
    kid = make()
    key = signing.active("ES256")
    token = jwt.encode({"alg": "ES256", "kid": kid}, {}, key)
    with transaction():
        assert signing.retire(kid)
        signing.create(signing.new_pair("ES256"))
    assert kid not in published()
    with pytest.raises(InvalidKeyIdError):
        jwt.decode(token, signing.verification_keys(), algorithms=["ES256"])


def revoke(kid: str) -> str | None:
    with transaction():
        return signing.revoke(kid, signing.new_pair("ES256"))


def test_of_a_revoked_key_nothing_is_left_and_another_signs_at_once(empty: Flask) -> None:
    kid = make()
    other = revoke(kid)
    assert published() == {other}
    assert signs() == other != kid


def test_a_key_that_was_announced_takes_the_place_of_a_revoked_one(
    empty: Flask, time: time_machine.Traveller
) -> None:
    """Relying parties know it already, where a fresh one would be new to them."""
    first, announced = make(), make()
    assert revoke(first) == announced == signs()
    assert published() == {announced}


def test_a_revoked_key_that_did_not_sign_needs_no_other(
    empty: Flask, time: time_machine.Traveller
) -> None:
    first, announced = make(), make()
    assert revoke(announced) is None
    assert signs() == first
    assert published() == {first}


def test_a_key_whose_time_is_over_does_not_sign_again_for_a_revoked_one(
    empty: Flask, time: time_machine.Traveller
) -> None:
    first = make()
    time.shift(80 * DAY)
    (second,) = housekeeping.rotate_keys()
    time.shift(11 * DAY)
    assert published() == {first, second}
    assert revoke(second) == signs()
    assert signs() not in {first, second}


def test_keys_of_other_algorithms_do_not_matter_to_a_revoked_one(empty: Flask) -> None:
    kid, other = make("ES256"), make("EdDSA")
    successor = revoke(kid)
    assert (signs("ES256"), signs("EdDSA")) == (successor, other)


def test_every_process_publishes_in_the_same_order(empty: Flask) -> None:
    """What one process tagged is the same for another (RFC 9110 8.8.3)."""
    first, announced = make(), make()
    with transaction():
        rotated = signing.rotate(signing.new_pair("ES256")).kid
    in_order = [key["kid"] for key in signing.public_jwks()["keys"]]
    assert in_order == [first, rotated, announced]


def test_after_the_only_key_is_retired_the_next_signs_at_once(empty: Flask) -> None:
    kid = make()
    with transaction():
        signing.retire(kid)
    assert make() == signs()


def test_of_a_key_that_time_has_retired_the_public_half_still_reads_hints(
    empty: Flask, time: time_machine.Traveller
) -> None:
    kid = make()
    token = jwt.encode({"alg": "ES256", "kid": kid}, {"sub": "x"}, signing.active("ES256"))
    time.shift(104 * DAY + MOMENT)
    make()
    assert kid not in published()

    def read() -> None:
        keys = signing.verification_keys()
        assert jwt.decode(token, keys, algorithms=["ES256"]).claims == {"sub": "x"}

    read()
    time.shift(2 * DAY)
    with transaction():
        assert signing.purge(10) == 0
    (erased,) = [key.private for key in signing.listing() if key.kid == kid]
    assert erased == ""
    signing._cache.forget()
    read()
    time.move_to(START + (104 + 180) * DAY + MOMENT)
    with pytest.raises(InvalidKeyIdError):
        read()
    time.shift(DAY)
    with transaction():
        assert signing.purge(10) == 1


def test_only_a_published_key_can_be_retired(empty: Flask) -> None:
    kid = make()
    with transaction():
        assert not signing.retire("nobody")
        assert signing.retire(kid)
        assert not signing.retire(kid)


def test_keys_retired_for_a_day_are_purged(empty: Flask, time: time_machine.Traveller) -> None:
    old = make()
    with transaction():
        signing.retire(old)
        kept = signing.create(signing.new_pair("ES256")).kid
    with transaction():
        assert signing.purge(10) == 0
    time.shift(2 * DAY)
    with transaction():
        assert signing.purge(10) == 1
    assert [key.kid for key in signing.listing()] == [kept]


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
