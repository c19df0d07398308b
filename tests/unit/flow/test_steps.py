"""`next_step` is a pure function; this table is its specification (DESIGN 3)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.challenges.challenge import Purpose
from idp.flow.steps import Choices, Owner, Proofs, Step, next_step

LEGACY = Proofs(legacy_password=True)
MAIL = "a@example.ch"
PHONE = "+41791234567"
MAILBOX = replace(LEGACY, email=MAIL)
CONFIRMED = replace(MAILBOX, address_confirmed=True)


ASKED = Proofs(recovering=True)
ANSWERED = replace(ASKED, recovery_epoch=3)
RECOVERY = {
    Step.RECOVERY,
    Step.RECOVERY_CODE,
    Step.RECOVERY_PHONE_CODE,
    Step.RECOVERY_PASSWORD,
}


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


@pytest.mark.parametrize(
    ("proofs", "owner", "step"),
    [
        (ASKED, None, Step.RECOVERY),
        (ASKED, Owner(3), Step.RECOVERY),
        (awaiting(ASKED, Purpose.RECOVERY_EMAIL, MAIL), None, Step.RECOVERY_CODE),
        (awaiting(ASKED, Purpose.RECOVERY_EMAIL, "jeanne"), None, Step.RECOVERY_CODE),
        (awaiting(ASKED, Purpose.RECOVERY_SMS, PHONE), None, Step.RECOVERY),
        (awaiting(ASKED, Purpose.SECOND_FACTOR, MAIL), None, Step.RECOVERY),
        (ANSWERED, Owner(3), Step.RECOVERY_PASSWORD),
        (ANSWERED, Owner(3, PHONE), Step.RECOVERY_PHONE_CODE),
        (replace(ANSWERED, recovery_phone=PHONE), Owner(3, PHONE), Step.RECOVERY_PASSWORD),
        (
            replace(ANSWERED, recovery_phone="+41790000000"),
            Owner(3, PHONE),
            Step.RECOVERY_PHONE_CODE,
        ),
        (replace(ANSWERED, recovery_phone=PHONE), Owner(4, PHONE), Step.RECOVERY),
        (ANSWERED, None, Step.RECOVERY),
        (replace(ANSWERED, password_epoch=3), Owner(3), Step.RECOVERY_PASSWORD),
        (replace(ANSWERED, authenticated=True), Owner(3), Step.ANSWER),
        (replace(ANSWERED, recovering=False), Owner(3), Step.SIGN_IN),
        (replace(ANSWERED, legacy_password=True, migrated=True), Owner(3), Step.RECOVERY_PASSWORD),
    ],
)
def test_a_recovery_takes_mailbox_then_phone_of_the_account_as_it_is(proofs, owner, step):
    assert next_step(proofs, None, 3, sms=True, owner=owner) is step


def test_without_a_gateway_a_recovery_takes_the_mailbox_alone():
    assert next_step(ANSWERED, None, None, sms=False, owner=Owner(3, PHONE)) is (
        Step.RECOVERY_PASSWORD
    )


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
    recovering=st.booleans(),
    recovery_epoch=st.none() | st.integers(1, 2),
    recovery_phone=st.none() | st.just(PHONE),
    awaited=st.none() | st.sampled_from(Purpose),
    awaited_at=st.none() | st.sampled_from([MAIL, PHONE]),
)
choices_strategy = st.none() | st.builds(
    Choices,
    email=st.none() | st.just(MAIL),
    phone=st.none() | st.just(PHONE),
    phone_refused=st.booleans(),
)


owners_strategy = st.none() | st.builds(
    Owner, epoch=st.integers(1, 2), phone=st.none() | st.sampled_from([PHONE, "+41790000000"])
)


def hold_against_a_recovery(step, proofs, owner, *, sms):
    assert (step in RECOVERY) == (proofs.recovering and not proofs.authenticated)
    if step in {Step.RECOVERY_PHONE_CODE, Step.RECOVERY_PASSWORD}:
        assert owner is not None
        assert proofs.recovery_epoch == owner.epoch
    if step is Step.RECOVERY_PASSWORD and sms and owner.phone:
        assert proofs.recovery_phone == owner.phone
    if step is Step.RECOVERY_CODE:
        assert proofs.awaited is Purpose.RECOVERY_EMAIL


@given(
    proofs_strategy,
    choices_strategy,
    st.none() | st.integers(1, 2),
    st.booleans(),
    owners_strategy,
)
def test_no_facts_reach_a_step_whose_proofs_are_missing(proofs, choices, epoch, sms, owner):
    step = next_step(proofs, choices, epoch, sms=sms, owner=owner)
    hold_against_a_recovery(step, proofs, owner, sms=sms)
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
