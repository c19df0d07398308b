"""One mailbox, one key: variants of an address are not distinctions between people."""

import pytest

from idp.accounts.addresses import mask_email, parse_email
from idp.accounts.phones import PhoneProblem, mask_phone, parse_phone


@pytest.mark.parametrize(
    "variant",
    [
        "Jeanne.Favre@Example.ch",
        "  jeanne.favre@example.ch ",
        "JEANNE.FAVRE@EXAMPLE.CH",
        "ｊeanne.favre@example.ch",
    ],
)
def test_case_space_and_width_variants_have_one_key(variant):
    assert parse_email(variant).key == "jeanne.favre@example.ch"


def test_accents_composed_or_not_have_one_key_and_do_not_lose_the_accent():
    composed, decomposed = "rené@example.ch", "rene\u0301@example.ch"
    assert parse_email(composed).key == parse_email(decomposed).key
    assert parse_email(composed).key != parse_email("rene@example.ch").key


def test_mail_goes_to_the_address_as_typed_not_to_its_key():
    assert parse_email("Jeanne@EXAMPLE.ch").address == "Jeanne@example.ch"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jeanne",
        "jeanne@",
        "@example.ch",
        "a b@example.ch",
        "jeanne@example",
        "jeanne@example.ch\r\nBcc: x@example.ch",
        "jeanne@example.ch\x00",
        "jeanne@[127.0.0.1]",
        '"Jeanne" <jeanne@example.ch>',
        "a@example.ch,b@example.ch",
        "x" * 250 + "@example.ch",
        "\ud800@example.ch",
    ],
)
def test_what_is_no_address_is_refused(text):
    assert parse_email(text) is None


def test_masks_leave_just_enough_to_recognise():
    assert mask_email("jeanne@example.ch") == "j•••@e•••.ch"
    assert mask_phone("+41791234567") == "+41 ••• 67"


REGION = {"region": "CH", "countries": ("CH", "FR")}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("079 123 45 67", "+41791234567"),
        ("+41 (0)79 123 45 67", "+41791234567"),
        ("0041791234567", "+41791234567"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("+49 151 23456789", PhoneProblem.COUNTRY),
        ("022 730 51 11", PhoneProblem.NOT_MOBILE),
        ("0900 900 900", PhoneProblem.NOT_MOBILE),
        ("12", PhoneProblem.INVALID),
        ("", PhoneProblem.INVALID),
        ("abc", PhoneProblem.INVALID),
        ("+41791234567 ext. 5", PhoneProblem.INVALID),
        ("+" + "9" * 400, PhoneProblem.INVALID),
        ("\x00\ud800", PhoneProblem.INVALID),
    ],
)
def test_numbers_are_read_as_people_write_them_and_refused_for_a_reason(text, result):
    assert parse_phone(text, **REGION) == result
