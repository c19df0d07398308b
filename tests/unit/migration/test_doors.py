"""Both sides compared: who has migrated, and whom the old system still lets in."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import event

from idp import clock
from idp.extensions import db, transaction
from idp.legacy import identity as identities
from idp.legacy.identity import LegacyIdentity
from idp.legacy.source import Person, Unavailable, Unknown, Unsupported
from idp.migration import callbacks, doors
from idp.migration.doors import Door, DoorError
from tests.support import old_store
from tests.support.accounts import make_account

OPEN, CLOSED, GONE, UNSEEN = Door


@pytest.fixture
def url(app, tmp_path):
    address = f"sqlite:///{tmp_path}/old.db"
    old_store.make(address, 4)
    with old_store.sources(app, old_store.described(address)):
        yield address


@pytest.fixture
def migrated(url):
    """1 is open over there, 2 is locked, 9 is gone; 3 has not migrated."""
    old_store.run(url, "UPDATE people SET blocked = 1 WHERE id = 2")
    account = make_account()
    with transaction():
        for key in ("1", "2", "9"):
            identity = identities.meet("old", key, f"p{key}")
            identities.claim(identity.id, account)
        identities.meet("old", "3", "p3")
        identities.claim(identities.meet("other", "1").id, account)


def compare(source, *, retry=False):
    return doors.compare(source, lambda _rows, _share: None, retry=retry)


def closed():
    db.session.rollback()
    rows = db.session.query(LegacyIdentity).filter_by(source="old")
    return {row.key for row in rows if row.door_closed_at is not None}


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("listing", ["SELECT * FROM people", None], ids=["listed", "asked"])
def test_every_door_is_looked_at_and_noted(url, listing):
    compared = compare(old_store.described(url, list=listing))
    lost = {GONE: 1, UNSEEN: 0} if listing else {GONE: 0, UNSEEN: 1}
    assert compared.doors == {OPEN: 1, CLOSED: 1, **lost}
    assert compared.examples == ["old:1"]
    assert closed() == ({"2", "9"} if listing else {"2"})
    assert doors.open_doors() == {"old": 1 if listing else 2}


@pytest.mark.usefixtures("migrated")
def test_whoever_is_called_otherwise_or_was_never_named_is_not_said_to_be_gone(url):
    with transaction():
        rows = db.session.query(LegacyIdentity).filter_by(source="old").all()
        for row in rows:
            row.call_due_at, row.identifier = clock.now(), None if row.key == "1" else "renamed"
    assert compare(old_store.described(url, list=None)).doors[UNSEEN] == 3
    assert closed() == set()
    assert callbacks.waiting("old").count == 4


@pytest.mark.usefixtures("migrated")
def test_a_door_is_closed_since_it_was_first_seen_so(url):
    def since():
        db.session.rollback()
        return (
            db.session.query(LegacyIdentity).filter_by(source="old", key="2").one().door_closed_at
        )

    compare(old_store.described(url))
    first = since()
    with time_machine.travel(clock.now() + timedelta(days=1), tick=True):
        compare(old_store.described(url))
    assert since() == first


@pytest.mark.usefixtures("migrated")
def test_a_door_that_was_opened_again_is_seen(url):
    compare(old_store.described(url))
    old_store.run(url, "UPDATE people SET blocked = 0 WHERE id = 2")
    assert compare(old_store.described(url)).doors[OPEN] == 2
    assert closed() == {"9"}


@pytest.mark.usefixtures("migrated")
def test_with_retry_it_is_told_again_of_open_doors_only(url):
    compare(old_store.described(url))
    assert callbacks.make_next("old") is None
    compare(old_store.described(url), retry=True)
    assert callbacks.make_next("old") is True
    assert callbacks.make_next("old") is None
    assert compare(old_store.described(url)).doors == {OPEN: 0, CLOSED: 2, GONE: 1, UNSEEN: 0}
    assert doors.open_doors() == {"old": 0}


@pytest.mark.usefixtures("migrated")
def test_nobody_waits_to_be_told_of_who_is_gone(url):
    with transaction():
        db.session.query(LegacyIdentity).filter_by(key="9").one().call_due_at = clock.now()
    compare(old_store.described(url))
    assert callbacks.waiting("old").count == 0


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(
    ("answer", "door"),
    [
        (Person("1", locked=True), CLOSED),
        (Person("7"), UNSEEN),
        (Unknown(), UNSEEN),
        (Unsupported("old", "1", "twice"), OPEN),
    ],
    ids=str,
)
def test_what_a_source_without_a_list_says(url, answer, door):
    source = old_store.described(url, list=None)
    source.find = lambda _identifier: answer
    assert compare(source).doors[door] >= 1


@pytest.mark.usefixtures("migrated")
def test_a_source_that_does_not_answer_is_no_closed_door(url):
    source = old_store.described(url, list=None)
    source.find = lambda _identifier: Unavailable()
    with pytest.raises(DoorError):
        compare(source)
    with pytest.raises(DoorError):
        compare(old_store.described(url, list="SELECT * FROM nowhere"))
    assert closed() == set()


def test_many_are_read_in_batches(url):
    account = make_account()
    with transaction():
        for number in range(1200):
            identities.claim(identities.meet("old", f"k{number}").id, account)
    seen = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    assert compare(old_store.described(url)).doors[GONE] == 1200
    selects = [one for one in seen if one.startswith("SELECT legacy_identity.id,")]
    assert len(selects) == 4, "three batches, and one that is empty"


def test_a_copy_has_no_door(app):
    kinds = [source.options.type for source in doors.watched()]
    assert "imported" not in kinds
