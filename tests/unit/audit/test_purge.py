"""Old events go, a key that is no more is left behind, and what stays still verifies."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock, housekeeping
from idp.audit import seals
from idp.audit.chain import Link
from idp.audit.verify import FaultKind
from idp.extensions import settings, transaction
from idp.keys import kek
from tests.support.events import (
    alter,
    alter_chain,
    check,
    ends,
    faults,
    forge,
    leave,
    remove,
    rows,
    sealed,
)
from tests.support.settings import override

pytestmark = pytest.mark.usefixtures("app")


# -- Purging --


def purge(limit):
    with transaction():
        return housekeeping._purge_audit(limit)


@pytest.fixture
def aged(app):
    """Six events, three of which are too old."""
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        sealed(3)
        now.shift(timedelta(days=20))
        sealed(3)
        with override(app, audit_kept=timedelta(days=30)):
            now.shift(timedelta(days=15))
            yield now


def test_the_purge_leaves_a_chain_that_verifies(aged):
    third = rows()[2]
    assert purge(10) == 3
    report = check()
    assert (report.verified, report.floor, report.faults) == (3, 3, ())
    assert ends()[1] == Link(3, third.mac)
    sealed(1)
    assert check().faults == ()


def test_the_purge_goes_in_batches(aged):
    assert purge(2) == 2
    assert check().faults == ()
    assert purge(2) == 1
    assert purge(2) == 0
    assert [row.seq for row in rows()] == [4, 5, 6]


def test_events_that_were_never_sealed_go_too(app, aged):
    leave(1)
    aged.shift(timedelta(days=31))
    with transaction():
        assert seals.purge(housekeeping.audit_key(), clock.now() - timedelta(days=30), 100) == 7
    assert rows() == []
    assert check().faults == ()


def test_deleting_what_looks_purged_is_found(aged):
    purge(10)
    remove(4)
    assert faults() == [(FaultKind.MISSING, 4)]
    row = rows()[0]
    alter_chain(floor_seq=4, floor_mac=row.mac)
    assert FaultKind.CHAIN_ROW in [kind for kind, _seq in faults()]


def test_the_purge_does_not_remove_the_traces_of_a_change(aged):
    alter(2, account="somebody-else")
    assert purge(10) == 0
    assert faults() == [(FaultKind.ALTERED, 2)]


def test_making_events_look_old_does_not_get_them_purged(aged):
    for seq in (4, 5, 6):
        alter(seq, at=rows()[0].at)
    assert purge(10) == 0
    assert faults() == [(FaultKind.ALTERED, 4)]


def test_a_head_before_the_purge_is_compared_as_far_as_can_be(aged):
    second, third = rows()[1:3]
    second, third = Link(2, second.mac), Link(3, third.mac)
    purge(10)
    assert faults(third) == []
    assert faults(Link(3, "0" * 64)) == [(FaultKind.REWRITTEN, 3)]
    assert faults(second) == [(FaultKind.HEAD_TOO_OLD, 2)]


# -- Another key --


@pytest.fixture
def other_key(app, tmp_path):
    """Three events sealed under a key-encryption key that is no more."""
    sealed(3)
    kek.create(tmp_path / "kek.json")
    with override(app, kek_file=tmp_path / "kek.json"):
        yield housekeeping.audit_key()


def restart(key):
    with transaction():
        return seals.restart(key)


def test_a_new_key_needs_a_new_chain_behind_the_former_one(other_key):
    former = [(row.seq, row.mac) for row in rows()]
    assert not seals.is_ours(other_key)
    assert faults()[0] == (FaultKind.CHAIN_ROW, None)
    assert restart(other_key) == 3
    assert seals.is_ours(other_key)
    sealed(2)
    report = check()
    assert (report.verified, report.floor, report.former, report.faults) == (2, 3, 3, ())
    assert [(row.seq, row.mac) for row in rows()][:3] == former
    assert [row.seq for row in rows()] == [1, 2, 3, 4, 5]


def test_behind_a_new_beginning_every_change_is_found_as_before(other_key):
    last = ends()[0]
    restart(other_key)
    sealed(3)
    assert faults(ends()[0]) == []
    for former in (Link(2, "0" * 64), last):
        assert faults(former) == [(FaultKind.HEAD_TOO_OLD, former.seq)]
    alter(5, account="x")
    assert faults() == [(FaultKind.ALTERED, 5)]
    alter(4, event="y")
    assert faults() == [(FaultKind.ALTERED, 4)]


def test_nobody_without_the_key_can_begin_anew(other_key):
    """Raising the place up to which nothing is verified is what an attacker would like."""
    restart(other_key)
    sealed(2)
    alter(4, account="x")
    alter_chain(former_seq=5, floor_seq=5, floor_mac=rows()[4].mac)
    assert (FaultKind.CHAIN_ROW, None) in faults()


def test_events_of_a_former_key_are_purged_by_age(app, other_key):
    restart(other_key)
    sealed(1)
    later = clock.now() + settings.audit_kept + timedelta(days=1)
    with time_machine.travel(later), override(app, kek_file=settings.kek_file):
        sealed(1)
        assert purge(3) == 3
        assert purge(3) == 1
        assert faults() == []
    assert [row.seq for row in rows()] == [5]


def test_a_broken_chain_that_was_begun_anew_seals_again(app):
    sealed(3)
    forge(seq=9, mac="a" * 64)
    leave(1)
    assert housekeeping.seal_audit() == 0
    assert restart(housekeeping.audit_key()) == 9
    assert housekeeping.seal_audit() == 1
    assert faults() == []
