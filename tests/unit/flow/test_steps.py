"""`next_step` is a pure function; this table is its specification (DESIGN 3)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.challenges.challenge import Purpose
from idp.flow.steps import Choices, Proofs, Step, next_step

LEGACY = Proofs(legacy_password=True)
MAIL = "a@example.ch"
PHONE = "+41791234567"
MAILBOX = replace(LEGACY, email=MAIL)
CONFIRMED = replace(MAILBOX, address_confirmed=True)


def awaiting(proofs: Proofs, purpose: Purpose, destination: str) -> Proofs:
    return replace(proofs, awaited=purpose, awaited_at=destination)


@pytest.mark.parametrize(
    ("proofs", "choices", "epoch", "step"),
    [
        (Proofs(), None, None, Step.SIGN_IN),
        (LEGACY, None, None, Step.SIGN_IN),
        (Proofs(), Choices(email=MAIL, phone=PHONE), None, Step.SIGN_IN),
        (LEGACY, Choices(), None, Step.EMAIL),
        (LEGACY, Choices(email=MAIL), None, Step.EMAIL),
        (awaiting(LEGACY, Purpose.EMAIL_ENROLMENT, MAIL), Choices(MAIL), None, Step.EMAIL_CODE),
        (awaiting(LEGACY, Purpose.EMAIL_ENROLMENT, MAIL), Choices("b@x.ch"), None, Step.EMAIL),
        (awaiting(LEGACY, Purpose.PHONE_ENROLMENT, MAIL), Choices(MAIL), None, Step.EMAIL),
        (MAILBOX, Choices(MAIL), None, Step.EMAIL_VERIFIED),
        (MAILBOX, Choices("other@example.ch"), None, Step.EMAIL),
        (CONFIRMED, Choices(MAIL), None, Step.PHONE),
        (CONFIRMED, Choices(MAIL, PHONE), None, Step.PHONE),
        (
            awaiting(CONFIRMED, Purpose.PHONE_ENROLMENT, PHONE),
            Choices(MAIL, PHONE),
            None,
            Step.PHONE_CODE,
        ),
        (replace(CONFIRMED, phone=PHONE), Choices(MAIL, PHONE), None, Step.PROFILE),
        (replace(CONFIRMED, phone=PHONE), Choices(MAIL, "+41790000000"), None, Step.PHONE),
        (CONFIRMED, Choices(MAIL, phone_refused=True), None, Step.PROFILE),
        (replace(LEGACY, migrated=True), None, None, Step.DONE),
        (replace(LEGACY, migrated=True, done_left=True), None, None, Step.SIGN_IN),
        (Proofs(password_epoch=3), None, 3, Step.SECOND_FACTOR),
        (Proofs(password_epoch=2), None, 3, Step.SIGN_IN),
        (Proofs(password_epoch=3), None, None, Step.SIGN_IN),
        (Proofs(password_epoch=3, authenticated=True), None, 3, Step.ANSWER),
    ],
)
def test_each_set_of_facts_leads_to_its_step(proofs, choices, epoch, step):
    assert next_step(proofs, choices, epoch, sms=True) is step


def test_without_a_gateway_the_phone_step_is_left_out():
    assert next_step(CONFIRMED, Choices(MAIL), None, sms=False) is Step.PROFILE


proofs_strategy = st.builds(
    Proofs,
    authenticated=st.booleans(),
    password_epoch=st.none() | st.integers(1, 2),
    legacy_password=st.booleans(),
    email=st.none() | st.sampled_from([MAIL, "b@x.ch"]),
    address_confirmed=st.booleans(),
    phone=st.none() | st.just(PHONE),
    migrated=st.booleans(),
    done_left=st.booleans(),
    awaited=st.none() | st.sampled_from(Purpose),
    awaited_at=st.none() | st.sampled_from([MAIL, PHONE]),
)
choices_strategy = st.none() | st.builds(
    Choices,
    email=st.none() | st.just(MAIL),
    phone=st.none() | st.just(PHONE),
    phone_refused=st.booleans(),
)


@given(proofs_strategy, choices_strategy, st.none() | st.integers(1, 2), st.booleans())
def test_no_facts_reach_a_step_whose_proofs_are_missing(proofs, choices, epoch, sms):
    step = next_step(proofs, choices, epoch, sms=sms)
    if step is Step.ANSWER:
        assert proofs.authenticated
    if step is Step.SECOND_FACTOR:
        assert epoch is not None
        assert proofs.password_epoch == epoch
    if step in {Step.EMAIL, Step.EMAIL_CODE, Step.EMAIL_VERIFIED, Step.PHONE, Step.PROFILE}:
        assert proofs.legacy_password
        assert choices is not None
    if step in {Step.EMAIL_VERIFIED, Step.PHONE, Step.PHONE_CODE, Step.PROFILE}:
        assert proofs.email == choices.email is not None
    if step in {Step.PHONE, Step.PHONE_CODE, Step.PROFILE}:
        assert proofs.address_confirmed
    if step is Step.PROFILE and sms and not choices.phone_refused:
        assert proofs.phone == choices.phone is not None
    if step is Step.DONE:
        assert proofs.migrated
