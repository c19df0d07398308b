"""What a phone number is: E.164, of a country we send to, able to receive SMS."""

import enum

import phonenumbers
from phonenumbers import PhoneNumberType


class PhoneProblem(enum.Enum):
    """Why a number cannot be used."""

    INVALID = "invalid"
    COUNTRY = "country"
    NOT_MOBILE = "not-mobile"


_CAN_RECEIVE_SMS = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def parse_phone(text: str, *, region: str, countries: tuple[str, ...]) -> str | PhoneProblem:
    """Read a number typed by a person; E.164 (`+41791234567`) or the problem.

    `region` is the ISO 3166 country of a number without a prefix; `countries` those we send to.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return PhoneProblem.INVALID
    if number.extension or not phonenumbers.is_valid_number(number):
        return PhoneProblem.INVALID
    if phonenumbers.region_code_for_number(number) not in countries:
        return PhoneProblem.COUNTRY
    if phonenumbers.number_type(number) not in _CAN_RECEIVE_SMS:
        return PhoneProblem.NOT_MOBILE
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country_prefix(number: str) -> str:
    """`+41791234567` to `+41`: the country calling code. No code is the beginning of another."""
    return f"+{phonenumbers.parse(number).country_code}"


def readable(number: str) -> str:
    """`+41791234567` as `+41 79 123 45 67`, for the person whose number it is."""
    parsed = phonenumbers.parse(number)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def mask_phone(number: str) -> str:
    """`+41791234567` as `+41 ••• 67`, for pages and logs."""
    return f"{country_prefix(number)} ••• {number[-2:]}"
