"""What wrong passwords are counted by, where no page can show it."""

from datetime import timedelta

import pytest
import time_machine

from idp.extensions import transaction
from idp.flow import tries
from idp.legacy.source import SourceOptions
from tests.support.settings import override

NETWORKS = [f"198.51.{number}.0/24" for number in range(25)]


@pytest.fixture
def now(app):
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        yield now


def granted(counted):
    with transaction():
        return counted.reserve() is None


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(("most", "seen"), [(100, 20), (3, 3)])
def test_one_row_of_an_old_system_has_so_many_tries_from_all_networks_together(most, seen):
    """However its identifier was spelt: databases know spellings that we do not. Never more than what the old
    system would lock the row for."""
    source = SourceOptions(name="portail", type="sql", tries=most)
    got = [granted(tries.at_row(source, "1", network)) for network in NETWORKS]
    assert got == [True] * seen + [False] * (25 - seen)
    assert granted(tries.at_row(source, "2", NETWORKS[-1]))


def test_an_old_system_sees_tries_at_one_row_again_after_a_quarter_of_an_hour(now):
    source = SourceOptions(name="portail", type="sql", tries=1)
    assert granted(tries.at_row(source, "1", NETWORKS[0]))
    now.shift(timedelta(minutes=14))
    assert not granted(tries.at_row(source, "1", NETWORKS[1]))
    now.shift(timedelta(minutes=2))
    assert granted(tries.at_row(source, "1", NETWORKS[1]))


def test_what_many_share_is_forgotten_also_when_somebody_mistypes_all_the_time(app, now):
    def mistyped(name):
        return granted(tries.at_identifier(name, NETWORKS[0]))

    with override(app, wrong_passwords_network=2):
        assert mistyped("first")
        now.shift(timedelta(minutes=6))
        assert mistyped("second")
        assert not mistyped("third")
        now.shift(timedelta(minutes=5))
        assert mistyped("fourth")
        assert mistyped("fifth")
