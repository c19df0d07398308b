"""The audit chain: whoever changes an event afterwards, without the key, is found out (ADR 7)."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from idp import clock, housekeeping
from idp.audit import seals
from idp.audit.chain import START, Ends, Link, link, record, tag
from idp.audit.models import AuditChain, AuditEvent
from idp.audit.seals import Broken
from idp.audit.verify import FaultKind
from idp.extensions import db, transaction
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

pytestmark = pytest.mark.usefixtures("app")


def test_an_empty_and_an_untouched_chain_are_sound():
    assert check().faults == ()
    sealed(5)
    leave(2)
    report = check()
    assert report.faults == ()
    assert report.verified == 5
    assert report.head == ends()[0]


def test_places_are_dense_from_one_and_sealing_again_changes_nothing():
    sealed(3)
    before = [(row.seq, row.mac) for row in rows()]
    assert [seq for seq, _mac in before] == [1, 2, 3]
    assert housekeeping.seal_audit() == 0
    assert [(row.seq, row.mac) for row in rows()] == before


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", None),
        ("event", "signed_out"),
        ("account", "somebody-else"),
        ("account", None),
        ("client", "other"),
        ("actor", "os:root"),
        ("details", {"channel": "sms"}),
        ("mac", "f" * 64),
        ("id", 99),
    ],
)
def test_a_change_of_any_column_is_found_at_its_row(column, value):
    sealed(5)
    if column == "at":
        value = rows()[2].at + timedelta(microseconds=1)
    alter(3, **{column: value})
    assert faults() == [(FaultKind.ALTERED, 3)]
    fault = check().faults[0]
    row = rows()[2]
    assert (fault.id, fault.at) == (row.id, row.at)


def test_every_column_that_says_something_is_under_the_seal():
    """A column that somebody adds must not be left out of `record`."""
    sealed(1)
    said = record(rows()[0], 1)
    assert set(said) == {column.name for column in AuditEvent.__table__.columns} - {"mac"}


@pytest.mark.parametrize("seq", [1, 3, 5])
def test_a_missing_event_is_found_at_its_place(seq):
    sealed(5)
    before = rows()[seq - 2] if seq > 1 else None
    remove(seq)
    assert faults() == [(FaultKind.MISSING, seq)]
    fault = check().faults[0]
    assert (fault.id, fault.at) == ((before.id, before.at) if before else (None, None))


def test_a_gap_that_was_closed_by_renumbering_is_found():
    sealed(4)
    remove(2)
    alter(3, seq=2)
    alter(4, seq=3)
    assert faults() == [(FaultKind.ALTERED, 2)]


def test_two_events_that_changed_places_are_found():
    sealed(4)
    alter(2, seq=100)
    alter(3, seq=2)
    alter(100, seq=3)
    assert faults() == [(FaultKind.ALTERED, 2)]


def test_two_events_that_swapped_what_they_say_are_found():
    sealed(4)
    second, third = rows()[1:3]
    alter(2, account=third.account, details=third.details, at=third.at)
    alter(3, account=second.account, details=second.details, at=second.at)
    assert faults() == [(FaultKind.ALTERED, 2)]


def test_an_event_forged_behind_the_end_is_found_and_stops_the_sealing():
    sealed(3)
    forge(seq=4, mac="a" * 64)
    assert faults() == [(FaultKind.FORGED, 4)]
    leave(1)
    assert housekeeping.seal_audit() == 0
    assert [row.seq for row in rows() if row.seq] == [1, 2, 3, 4]


@pytest.mark.parametrize("seq", [0, -7])
def test_an_event_forged_before_the_beginning_is_found(seq):
    sealed(2)
    forge(seq=seq)
    assert faults() == [(FaultKind.FORGED, seq)]


def reseal(key):
    """What somebody with the database and a key of their own can do."""
    last = START
    with transaction():
        for row in rows():
            last = link(key, last, record(row, last.seq + 1))
            db.session.execute(
                update(AuditEvent).where(AuditEvent.id == row.id).values(seq=last.seq, mac=last.mac)
            )
        values = {"seq": last.seq, "mac": last.mac, "tag": tag(key, Ends(last))}
        db.session.execute(update(AuditChain).values(**values))


def test_a_chain_that_was_sealed_again_with_another_key_is_found():
    sealed(3)
    alter(2, account="somebody-else")
    reseal(b"another key")
    assert faults() == [(FaultKind.CHAIN_ROW, None), (FaultKind.ALTERED, 1)]
    leave(1)
    with transaction():
        assert seals.seal(housekeeping.audit_key(), 10) is Broken.CHAIN_ROW


def test_what_an_altered_chain_row_says_of_the_end_is_not_believed():
    sealed(3)
    alter_chain(seq=9)
    assert faults() == [(FaultKind.CHAIN_ROW, None)]


def test_sealing_again_with_our_key_leaves_no_fault():
    """Shows that the test above finds the key, and nothing else."""
    sealed(3)
    reseal(housekeeping.audit_key())
    assert faults() == []


def test_a_tail_that_was_cut_is_missing():
    sealed(5)
    remove(5)
    remove(4)
    assert faults() == [(FaultKind.MISSING, 4)]


def put_back(seal_first, then):
    """Cut the tail, and put back the chain's row as it was when `seal_first` events were sealed."""
    sealed(seal_first)
    kept = db.session.scalars(select(AuditChain)).one()
    earlier = {"seq": kept.seq, "mac": kept.mac, "tag": kept.tag}
    sealed(then)
    seen = ends()[0]
    for seq in range(seal_first + 1, seal_first + then + 1):
        remove(seq)
    alter_chain(**earlier)
    return seen


def test_a_tail_cut_together_with_the_chains_row_shows_against_a_head_of_the_collector():
    seen = put_back(3, 2)
    assert faults() == [], "nothing in the database can tell"
    assert faults(seen) == [(FaultKind.CUT, 3)]


def test_a_tail_that_was_cut_and_grown_again_shows_against_a_head_of_the_collector():
    seen = put_back(3, 2)
    with time_machine.travel(clock.now() + timedelta(seconds=1)):
        sealed(4)
    assert faults() == []
    assert faults(seen) == [(FaultKind.REWRITTEN, 5)]


def test_the_chains_row_put_back_alone_is_found_and_stops_the_sealing():
    sealed(3)
    kept = db.session.scalars(select(AuditChain)).one()
    earlier = {"seq": kept.seq, "mac": kept.mac, "tag": kept.tag}
    sealed(2)
    alter_chain(**earlier)
    assert faults() == [(FaultKind.PUT_BACK, 3)]
    leave(1)
    with transaction():
        assert seals.seal(housekeeping.audit_key(), 10) is Broken.ROWS_AHEAD


def test_a_deleted_chain_row_is_found_and_does_not_begin_again():
    sealed(3)
    with transaction():
        db.session.execute(AuditChain.__table__.delete())
    assert faults() == [(FaultKind.PUT_BACK, 0)]
    leave(1)
    assert housekeeping.seal_audit() == 0


def test_every_head_that_a_collector_kept_is_on_the_chain():
    for _batch in range(3):
        sealed(2)
    for row in rows():
        assert faults(Link(row.seq, row.mac)) == []
    assert faults(Link(4, "0" * 64)) == [(FaultKind.REWRITTEN, 4)]


def test_events_that_wait_too_long_for_their_seal_are_found():
    sealed(1)
    leave(2)
    since = min(row.at for row in rows() if row.seq is None)
    with time_machine.travel(clock.now() + seals.OVERDUE + timedelta(seconds=1)):
        (fault,) = check().faults
    assert (fault.kind, fault.at) == (FaultKind.UNSEALED, since)


def test_batches_follow_one_another(monkeypatch):
    monkeypatch.setattr(housekeeping, "_SEALED_AT_ONCE", 2)
    sealed(5)
    assert check().verified == 5
    assert check().faults == ()
