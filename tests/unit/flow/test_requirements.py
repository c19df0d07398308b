"""What a request asks, held against a session: a pure function (OIDC Core 3.1.2.1, 3.1.2.3)."""

from datetime import UTC, datetime, timedelta

import pytest

from idp.flow.requirements import Present, Requirements, Unmet, unmet

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINE, OTHERS = "me", "somebody else"


def asked(*prompt: str, max_age: int | None = None, sub: str | None = None) -> Requirements:
    return Requirements(frozenset(prompt), max_age, sub)


def session(seconds: float = 0, *, here: bool = False) -> Present:
    """Mine, authenticated so many seconds ago."""
    return Present(MINE, NOW - timedelta(seconds=seconds), here=here)


@pytest.mark.parametrize(
    ("requirements", "present", "expected"),
    [
        (asked(), session(), None),
        (asked(), session(10**6), None),
        (asked("none"), session(), None),
        (asked("consent"), session(), None),
        (asked("login"), session(), Unmet.ASKED_AGAIN),
        (asked("select_account"), session(), Unmet.ASKED_AGAIN),
        (asked("consent", "login"), session(), Unmet.ASKED_AGAIN),
        (asked(max_age=60), session(59), None),
        (asked(max_age=60), session(60), None),
        (asked(max_age=60), session(60.001), Unmet.TOO_OLD),
        (asked(max_age=0), session(0.001), Unmet.TOO_OLD),
        (asked(sub=MINE), session(), None),
        (asked(sub=OTHERS), session(), Unmet.OTHER_PERSON),
        (asked("login", sub=OTHERS), session(), Unmet.OTHER_PERSON),
        (asked("login", max_age=0), session(9), Unmet.ASKED_AGAIN),
    ],
)
def test_a_session_from_before_meets_what_it_can(requirements, present, expected):
    assert unmet(requirements, present, NOW) is expected


@pytest.mark.parametrize(
    "requirements",
    [asked("login"), asked("select_account"), asked(max_age=0), asked("login", max_age=0)],
)
def test_the_sign_in_that_a_request_asked_for_meets_it(requirements):
    """Otherwise who was asked to sign in again would be asked for ever; but it meets it at once or not."""
    assert unmet(requirements, session(60, here=True), NOW) is None
    assert unmet(requirements, session(61, here=True), NOW) is not None


def test_the_sign_in_of_another_person_than_the_hint_names_does_not():
    assert unmet(asked(sub=OTHERS), session(here=True), NOW) is Unmet.OTHER_PERSON


@pytest.mark.parametrize("requirements", [asked(), asked("none"), asked("login"), asked(sub=MINE)])
def test_without_a_session_nothing_is_met(requirements):
    assert unmet(requirements, None, NOW) is Unmet.NO_SESSION
