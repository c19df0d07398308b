"""The file of sources, the order of asking, and knowing which are silent."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine

from idp.errors import ConfigurationError
from idp.extensions import db, transaction
from idp.legacy import identity as identities
from idp.legacy.identity import LegacyIdentity
from idp.legacy.registry import Sources, read
from idp.legacy.source import Match, Mismatch, Person, SourceOptions, Unavailable, Unknown
from idp.security.references import secret

GOOD = """
[[source]]
name = "one"
type = "sql"
url = "sqlite:///old.db"
query = "SELECT 1 WHERE 'x' = :identifier"
"""


def written(tmp_path, content):
    path = tmp_path / "sources.toml"
    path.write_text(content)
    return path


def test_enabled_sources_are_read_in_order(tmp_path):
    second = GOOD.replace("one", "two")
    third = GOOD.replace("one", "three") + "enabled = false\n"
    sources = read(written(tmp_path, GOOD + second + third))
    assert [source.options.name for source in sources] == ["one", "two"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("not [ toml", "not TOML"),
        ("source = 3", r"\[\[source\]\]"),
        (GOOD.replace('name = "one"', ""), "needs a name"),
        (GOOD + GOOD, "same name"),
        (GOOD.replace('"sql"', '"csv"'), "type must be one of sql"),
        (GOOD.replace('url = "sqlite:///old.db"', ""), "url is missing"),
        (GOOD.replace(":identifier", "'y'"), "select by :identifier"),
        (GOOD + "colour = 'red'", "unknown option colour"),
        (GOOD.replace("sqlite:///old.db", "env:SEUIL_NOT_SET"), "SEUIL_NOT_SET is not set"),
        (GOOD.replace("sqlite:///old.db", "file:/nowhere"), "cannot read /nowhere"),
        (GOOD.replace("sqlite:///old.db", "what is this"), "source one"),
        (GOOD + "timeout = 'long'", "source one"),
    ],
)
def test_a_mistake_in_the_file_is_one_line_that_names_it(tmp_path, content, word):
    with pytest.raises(ConfigurationError, match=word) as caught:
        read(written(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot read"):
        read(tmp_path / "none.toml")


def test_secrets_can_stay_out_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("SEUIL_TEST_URL", "sqlite:///from-env")
    (tmp_path / "url").write_text("sqlite:///from-file\n")
    assert secret("env:SEUIL_TEST_URL") == "sqlite:///from-env"
    assert secret(f"file:{tmp_path}/url") == "sqlite:///from-file"
    assert secret("sqlite:///as-is") == "sqlite:///as-is"


class Fixed:
    """A source that always answers the same; the second implementation of the protocol."""

    def __init__(self, name, answer, *, up=True):
        self.options = SourceOptions(name=name, type="fixed")
        self.answer, self.up, self.asked = answer, up, 0

    def authenticate(self, identifier, password, is_claimed):
        self.asked += 1
        return self.answer

    def find(self, identifier):
        return self.answer

    def problem(self):
        return None if self.up else "does not answer"

    def close(self):
        pass


MATCH = Match("two", Person("1"))


def test_the_first_answer_that_decides_wins():
    last = Fixed("three", MATCH)
    sources = Sources([Fixed("one", Unknown()), Fixed("two", Mismatch()), last])
    assert sources.ask("x", "y", lambda *_: False) == Mismatch()
    assert last.asked == 0


def test_silence_is_told_apart_from_nobody_and_does_not_hide_a_match():
    silent = Fixed("one", Unavailable(), up=False)
    assert Sources([silent, Fixed("two", MATCH)]).ask("x", "y", lambda *_: False) == MATCH
    sources = Sources([silent, Fixed("two", Unknown())])
    assert sources.ask("x", "y", lambda *_: False) == Unavailable()
    assert not sources.all_available()


def test_a_source_that_came_back_is_noticed():
    source = Fixed("one", Unknown(), up=False)
    sources = Sources([source])
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        assert not sources.all_available()
        source.up = True
        assert not sources.all_available()
        now.shift(6)
        assert sources.all_available()


def test_a_source_that_enough_threads_wait_for_is_not_asked_and_another_is():
    """A slow old system holds no more threads than its description says."""
    asked, go = threading.Barrier(3), threading.Event()

    class Slow(Fixed):
        def authenticate(self, *_asked):
            asked.wait(10)
            go.wait(10)
            return Unknown()

    sources = Sources([Slow("one", Unknown()), Fixed("two", MATCH)])
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(sources.ask, "x", "y", lambda *_: None) for _ in range(2)]
        asked.wait(10)
        assert sources.ask("x", "y", lambda *_: None) == MATCH
        sources.sources = sources.sources[:1]
        assert sources.ask("x", "y", lambda *_: None) == Unavailable()
        go.set()
        assert all(answer.result() in (MATCH, Unknown()) for answer in waiting)
    assert sources.all_available(), "it was busy, not silent"


def test_without_sources_all_are_available():
    assert Sources([]).all_available()
    assert Sources([]).ask("x", "y", lambda *_: False) == Unknown()


@pytest.mark.usefixtures("app")
def test_a_row_met_twice_is_one_identity_and_only_one_claim_counts(person):
    with transaction():
        first, again = identities.meet("old", "7"), identities.meet("old", "7")
        assert first.id == again.id
        assert identities.meet("other", "7").id != first.id
        first_id = first.id
    assert identities.claimant("old", "7") is None
    person.authorize().migrate("jeanne", "Edelweiss-1291", "jeanne@example.ch")
    account_id = db.session.scalars(
        db.select(LegacyIdentity.account_id).where(LegacyIdentity.account_id.is_not(None))
    ).one()
    with transaction():
        assert identities.claim(first_id, account_id)
        assert not identities.claim(first_id, account_id)
    assert identities.claimant("old", "7") is not None
