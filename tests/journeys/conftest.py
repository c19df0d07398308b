"""Whoever closed the browser on the way, and the time that passes since."""

import pytest
import time_machine

from tests.support.people import PASSWORD
from tests.support.reminding import JEANNE, START


@pytest.fixture
def now():
    """Stands still unless it is moved."""
    with time_machine.travel(START, tick=False) as now:
        yield now


@pytest.fixture
def stopped(now, person, inbox):
    """Somebody who proved a mailbox, and closed the browser."""
    del now
    person.authorize().sign_in("jeanne", PASSWORD).give_email(JEANNE)
    inbox.clear()
    return person
