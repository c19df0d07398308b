"""Reserving a try, comparing, accepting: each holds on its own (DESIGN 6)."""

from datetime import timedelta

import pytest
import time_machine

from idp.challenges import issue, verify
from idp.challenges.challenge import Challenge, Purpose
from idp.challenges.issue import code_of
from idp.challenges.results import CodeProblem, CodeRefused, CodeVerified
from idp.extensions import db, settings, transaction
from idp.security import throttle
from tests.support.accounts import ADDRESS, make_account
from tests.support.proofs import BROWSER, INTERACTION, send_code

START = "2026-01-01T12:00:00Z"
EXPIRED = CodeRefused(CodeProblem.EXPIRED)


@pytest.fixture
def now():
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest.fixture
def account(app, now) -> int:
    return make_account()


@pytest.fixture
def challenge(account) -> Challenge:
    return send_code(account)


def reserve(interaction=INTERACTION, browser=BROWSER, purpose=Purpose.SECOND_FACTOR):
    with transaction():
        return verify.reserve_try(interaction, browser, purpose)


def accept(expected):
    with transaction():
        return verify.accept(expected)


def close():
    with transaction():
        issue.close_current(INTERACTION)


def spent(challenge):
    db.session.refresh(challenge)
    return [throttle.spent(budget) for budget in verify.tries_of(challenge)]


def test_a_try_is_counted_before_the_code_is_compared(challenge):
    expected = reserve()
    assert spent(challenge) == [1, 1], "in this row of tries, and in all in a row"
    code = code_of(challenge.secret, challenge.counter)
    assert expected.matches(code)
    assert not expected.matches(("1" if code[0] != "1" else "2") + code[1:])


@pytest.mark.parametrize(
    "where",
    [
        {"browser": "another browser"},
        {"interaction": "another interaction"},
        {"purpose": Purpose.EMAIL_ENROLMENT},
        {"purpose": Purpose.PHONE_ENROLMENT},
    ],
    ids=str,
)
def test_a_code_is_tried_where_it_was_asked_for_and_for_nothing_else(challenge, where):
    assert reserve(**where) == EXPIRED
    assert spent(challenge) == [0, 0], "and nobody else can use up its tries"


def test_an_expired_code_cannot_be_tried(challenge, now):
    now.shift(settings.code_lifetime - timedelta(seconds=1))
    assert reserve() != EXPIRED
    now.shift(timedelta(seconds=1))
    assert reserve() == EXPIRED


def test_a_closed_code_cannot_be_tried(challenge):
    close()
    assert reserve() == EXPIRED
    assert spent(challenge) == [0, 0]


def test_only_the_newest_code_can_be_tried(challenge, account, now):
    now.shift(settings.resend_after)
    newer = send_code(account)
    assert reserve().challenge_id == newer.id


def test_an_accepted_code_is_proof_of_what_it_was_sent_for(challenge, account, now):
    proof = accept(reserve())
    assert isinstance(proof, CodeVerified)
    assert (proof.challenge_id, proof.purpose) == (challenge.id, Purpose.SECOND_FACTOR)
    assert (proof.account_id, proof.epoch, proof.case_id) == (account, challenge.epoch, None)
    assert (proof.destination, proof.interaction_id) == (ADDRESS, INTERACTION)
    db.session.refresh(challenge)
    assert challenge.verified_at == challenge.closed_at == proof.at


def test_a_code_that_was_closed_meanwhile_is_not_accepted(challenge):
    expected = reserve()
    close()
    assert accept(expected) == EXPIRED
    db.session.refresh(challenge)
    assert challenge.verified_at is None


def test_a_code_that_a_newer_one_replaced_is_not_accepted(challenge, account, now):
    expected = reserve()
    now.shift(settings.resend_after)
    send_code(account)
    assert accept(expected) == EXPIRED


def test_a_code_that_expired_meanwhile_is_not_accepted(challenge, now):
    expected = reserve()
    now.shift(settings.code_lifetime)
    assert accept(expected) == EXPIRED
    db.session.refresh(challenge)
    assert challenge.verified_at is None


def test_a_code_is_accepted_once(challenge):
    first, second = reserve(), reserve()
    assert isinstance(accept(first), CodeVerified)
    assert accept(second) == EXPIRED


def test_the_sixth_try_has_to_wait_and_takes_nothing(challenge):
    for _ in range(settings.code_tries):
        reserve()
    assert reserve() == CodeRefused(CodeProblem.EXHAUSTED, settings.code_lifetime)
    assert spent(challenge) == [settings.code_tries] * 2


def test_a_right_code_empties_the_tries_at_once(challenge, account, now):
    for _ in range(settings.code_tries - 1):
        reserve()
    accept(reserve())
    assert spent(challenge) == [0, 0]
    now.shift(settings.resend_after)
    send_code(account)
    for _ in range(settings.code_tries):
        assert not isinstance(reserve(), CodeRefused)


def test_a_refused_acceptance_gives_no_try_back(challenge):
    expected = reserve()
    close()
    accept(expected)
    assert spent(challenge) == [1, 1]


def test_tries_at_an_enrolment_belong_to_its_case(account, now):
    enrolment = {"purpose": Purpose.EMAIL_ENROLMENT, "epoch": None, "interaction_id": "another"}
    challenge = send_code(None, case_id=7, **enrolment)
    reserve("another", purpose=Purpose.EMAIL_ENROLMENT)
    assert spent(challenge) == [1]
    now.shift(settings.resend_after)
    other = send_code(None, case_id=8, **enrolment)
    assert spent(other) == [0]
