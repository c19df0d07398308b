"""What may be given as a phone number: a mobile of a country we send to, and nothing that earns money."""

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from config import Settings
from idp.accounts.phones import PhoneProblem, country_prefix, mask_phone, parse_phone

COUNTRIES = Settings.model_fields["sms_countries"].default
KINDS = {
    "FIXED_LINE": PhoneNumberType.FIXED_LINE,
    "TOLL_FREE": PhoneNumberType.TOLL_FREE,
    "PREMIUM_RATE": PhoneNumberType.PREMIUM_RATE,
    "SHARED_COST": PhoneNumberType.SHARED_COST,
    "VOIP": PhoneNumberType.VOIP,
    "PERSONAL_NUMBER": PhoneNumberType.PERSONAL_NUMBER,
    "PAGER": PhoneNumberType.PAGER,
    "UAN": PhoneNumberType.UAN,
    "VOICEMAIL": PhoneNumberType.VOICEMAIL,
}
EXAMPLES = {
    f"{country} {name}": phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    for country in COUNTRIES
    for name, kind in KINDS.items()
    if (number := phonenumbers.example_number_for_type(country, kind))
}


def parse(text, region="CH", countries=COUNTRIES):
    return parse_phone(text, region=region, countries=countries)


def test_the_table_has_every_kind():
    assert {name.partition(" ")[2] for name in EXAMPLES} == set(KINDS)
    assert {name.partition(" ")[0] for name in EXAMPLES} == set(COUNTRIES)


@pytest.mark.parametrize("number", EXAMPLES.values(), ids=EXAMPLES)
def test_what_is_no_mobile_is_refused(number):
    assert parse(number) is PhoneProblem.NOT_MOBILE


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_mobile_of_each_country_is_taken(country):
    number = phonenumbers.example_number_for_type(country, PhoneNumberType.MOBILE)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert parse(e164) == e164


# The Vatican's mobiles are Italy's.
FAR = sorted(phonenumbers.SUPPORTED_REGIONS - {*COUNTRIES, "VA"})


@pytest.mark.parametrize("country", FAR)
def test_a_mobile_of_no_other_country_is(country):
    number = phonenumbers.example_number_for_type(country, PhoneNumberType.MOBILE)
    if number is None:
        number = phonenumbers.example_number(country)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert parse(e164) in {PhoneProblem.COUNTRY, PhoneProblem.INVALID}


@pytest.mark.parametrize(
    "text", ["", "079", "abc", "+", "079 123 45 67 ext. 9", "+41 79 123 45 6789", "١٢٣", "\x00"]
)
def test_what_is_no_number_is_refused(text):
    assert parse(text) is PhoneProblem.INVALID


@pytest.mark.parametrize("text", ["079 123 45 67", "0041 79 123 45 67", "+41 (0)79 123-45-67"])
def test_a_number_is_taken_as_people_write_it(text):
    assert parse(text) == "+41791234567"


def test_a_number_is_shown_masked_and_counted_by_its_country():
    assert mask_phone("+41791234567") == "+41 ••• 67"
    assert country_prefix("+4236601234567") == "+423"
