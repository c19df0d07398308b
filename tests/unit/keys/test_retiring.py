"""Keys that are retired or revoked, and what is left of them."""

import pytest
import time_machine
from flask import Flask
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError

from idp import housekeeping
from idp.extensions import transaction
from idp.keys import signing
from tests.unit.keys.making import DAY, MOMENT, START, make, published, signs


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
