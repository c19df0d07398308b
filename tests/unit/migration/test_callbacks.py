"""What an old system is told, and when: at least once, by one worker at a time, and nobody waits for it."""

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from idp import clock
from idp.accounts.addresses import EmailAddress
from idp.accounts.profile import Profile
from idp.extensions import db, transaction
from idp.flow import corrections
from idp.legacy import identity as identities
from idp.legacy.identity import LegacyIdentity
from idp.legacy.registry import Sources
from idp.migration import callbacks, cases, completion
from idp.migration.cases import Known
from idp.migration.completion import NewAccount
from tests.support import old_store
from tests.support.accounts import make_account
from tests.support.strict import BY
from tests.support.together import together


@pytest.fixture
def url(app, tmp_path):
    """An old store that is told, beside no other."""
    address = f"sqlite:///{tmp_path}/old.db"
    old_store.make(address)
    with old_store.sources(app, old_store.described(address)):
        yield address


def migrate(key, source="old"):
    address = f"p{key}@example.ch"
    with transaction():
        case = cases.open_or_resume(Known(source, key, Profile(), identifier=f"p{key}"))
        completion.complete(case, NewAccount(EmailAddress(address, address), None, "", "fr"))
    return identity(key)


def identity(key):
    db.session.rollback()
    return db.session.query(LegacyIdentity).filter_by(key=key).one()


def blocked(url):
    rows = old_store.run(url, "SELECT * FROM people WHERE blocked = 1 ORDER BY id")
    return {str(row["id"]): row["sub"] for row in rows}


def break_it(url):
    old_store.run(url, "ALTER TABLE people RENAME TO away")


def mend_it(url):
    old_store.run(url, "ALTER TABLE away RENAME TO people")


def sub(key):
    return corrections.accounts.by_id(identity(key).account_id).sub


def test_whoever_migrates_is_told_of_with_the_claim(url):
    assert callbacks.make_next("old") is None
    assert migrate("1").call_due_at is not None
    assert callbacks.make_next("old") is True
    assert blocked(url) == {"1": sub("1")}
    assert identity("1").call_due_at is None
    assert identity("1").door_closed_at is not None
    assert callbacks.make_next("old") is None


def test_nothing_is_told_of_a_migration_that_was_rolled_back(url):
    def half_way():
        with transaction():
            case = cases.open_or_resume(Known("old", "1", Profile()))
            completion.complete(case, NewAccount(EmailAddress("a@b.ch", "a@b.ch"), None, "", "fr"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    assert callbacks.make_next("old") is None
    assert blocked(url) == {}


def test_a_source_that_does_not_want_to_know_has_nothing_to_tell(app, url):
    app.extensions["seuil.legacy"] = Sources([old_store.described(url, on_migrated=None)])
    assert migrate("1").call_due_at is None
    assert callbacks.sources() == []


def test_what_is_not_taken_is_told_later_and_later(url):
    migrate("1")
    break_it(url)
    pauses = []
    with time_machine.travel(clock.now() + timedelta(seconds=1), tick=False) as now:
        for _ in range(14):
            assert callbacks.make_next("old") is False
            assert callbacks.make_next("old") is None, "not before its time"
            pauses.append(identity("1").call_due_at - clock.now())
            now.shift(pauses[-1])
        untold = callbacks.waiting("old")
        assert (untold.count, untold.last_error) == (1, "OperationalError")
        mend_it(url)
        assert callbacks.make_next("old") is True
    seconds = [pause.total_seconds() for pause in pauses]
    assert seconds[:3] == [30, 60, 120]
    assert seconds[-1] == 6 * 3600
    assert callbacks.waiting("old").count == 0


def test_one_that_is_not_taken_keeps_no_other_waiting(url):
    migrate("1")
    old_store.run(url, "DELETE FROM people WHERE id = 1")
    assert callbacks.make_next("old") is False
    migrate("2")
    assert callbacks.make_next("old") is True
    assert set(blocked(url)) == {"2"}


def test_a_worker_that_dies_before_or_after_telling_loses_none(url, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_arguments):
        raise Killed

    migrate("1")
    for name in ("_informed", "_finish"):
        told = callbacks._informed("old")
        if name == "_informed":
            monkeypatch.setattr(type(told), "tell", die)
        else:
            monkeypatch.setattr(callbacks, "_finish", die)
        with pytest.raises(Killed):
            callbacks.make_next("old")
        monkeypatch.undo()
        assert callbacks.make_next("old") is None, "within its lease nobody else tells it"
        with transaction():
            db.session.execute(update(LegacyIdentity).values(call_due_at=clock.now()))
    assert callbacks.make_next("old") is True
    assert set(blocked(url)) == {"1"}


def test_two_workers_tell_it_once(app, url, monkeypatch):
    migrate("1")
    told = []
    source = callbacks._informed("old")
    monkeypatch.setattr(type(source), "tell", lambda _self, migrated: told.append(migrated.key))

    both_saw_it = threading.Barrier(2, timeout=10)
    begin, here = callbacks.transaction, threading.local()

    def after_the_other():
        if not getattr(here, "leased", False):
            here.leased = True
            both_saw_it.wait()
        return begin()

    monkeypatch.setattr(callbacks, "transaction", after_the_other)

    def work(_number):
        with app.app_context():
            return callbacks.make_next("old")

    assert sorted(map(str, together(2, work))) == ["None", "True"]
    assert told == ["1"]


def test_what_was_told_is_not_told_again_with_the_next_claim(url):
    first = migrate("1")
    callbacks.make_next("old")
    with transaction():
        identities.claim(identities.meet("old", "2").id, first.account_id)
        callbacks.leave(first.account_id)
    assert identity("1").call_due_at is None
    assert callbacks.make_next("old") is True
    assert set(blocked(url)) == {"1", "2"}


def test_a_claim_that_is_undone_meanwhile_is_not_noted_as_closed(url, monkeypatch):
    migrate("1")
    source = callbacks._informed("old")

    def revert(_self, _migrated):
        with transaction():
            corrections.revert(identity_now("1"), BY)

    def identity_now(key):
        return db.session.query(LegacyIdentity).filter_by(key=key).one()

    monkeypatch.setattr(type(source), "tell", revert)
    callbacks.make_next("old")
    assert identity("1").door_closed_at is None
    assert identity("1").call_due_at is None


def test_a_source_that_can_be_told_no_more_is_named(app, url):
    migrate("1")
    assert callbacks.stranded() == {}
    with old_store.sources(app, old_store.described(url, on_migrated=None)):
        assert callbacks.stranded() == {"old": 1}


def test_after_a_merge_the_old_system_learns_the_sub_that_is_left(url):
    migrate("1")
    callbacks.make_next("old")
    into = make_account("into@example.ch")
    with transaction():
        assert corrections.merge(identity("1").account_id, into, BY)
    assert callbacks.make_next("old") is True
    assert blocked(url) == {"1": corrections.accounts.by_id(into).sub}


def test_whoever_migrates_again_after_a_revert_is_told_of_again(url):
    migrate("1")
    callbacks.make_next("old")
    with transaction():
        corrections.revert(db.session.query(LegacyIdentity).one(), BY)
    assert identity("1").door_closed_at is None
    with transaction():
        cases.open_or_resume(Known("old", "1", Profile()))
    assert migrate("1").call_due_at is not None
    assert callbacks.make_next("old") is True
    assert blocked(url) == {"1": sub("1")}


def test_nothing_is_held_while_the_old_system_is_told(url, monkeypatch):
    migrate("1")
    seen = []
    source = callbacks._informed("old")
    monkeypatch.setattr(
        type(source), "tell", lambda _self, _migrated: seen.append(db.engine.pool.checkedout())
    )
    callbacks.make_next("old")
    assert seen == [0]


def test_whoever_waits_longest_is_told_first(url):
    with time_machine.travel(clock.now() - timedelta(hours=1), tick=False):
        migrate("2")
    migrate("1")
    callbacks.make_next("old")
    assert set(blocked(url)) == {"2"}
