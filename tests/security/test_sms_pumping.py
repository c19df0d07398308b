"""No message to countries, kinds of number, or in quantities that would make somebody rich."""

import pytest

from tests.support.journey import Person
from tests.support.people import PASSWORD

FAR = [
    "+882 16 5555 5555",
    "+7 912 345 67 89",
    "+1 876 555 1234",
    "+232 76 123456",
    "+53 5 1234567",
]
PREMIUM = ["0900 123 456", "0901 123 456", "0906 123 456", "+33 899 70 00 00", "0848 123 456"]
FIXED = ["021 316 11 11", "+33 1 42 34 56 78"]


@pytest.fixture
def at_phone(person):
    person.authorize().sign_in("jeanne", PASSWORD).give_email("moi@example.ch")
    assert person.step == "phone"
    return person


@pytest.mark.parametrize("number", [*FAR, *PREMIUM, *FIXED])
def test_no_message_to_a_number_that_may_cost_more_than_it_should(at_phone, inbox, number):
    before = len(inbox.messages)
    at_phone.press("Recevoir le code", phone=number)
    assert (at_phone.step, at_phone.page.status) == ("phone", 422)
    assert len(inbox.messages) == before


def test_one_number_gets_five_messages_in_a_quarter_of_an_hour_from_all_cases_together(
    app, inbox, portal
):
    statuses = []
    for login in ("jeanne", "paul", "rosa", "luc", "anna"):
        person = Person(app, inbox, portal).authorize().sign_in(login, PASSWORD)
        person.give_email(f"{login}@example.ch")
        for _ in range(2):
            person.press("Recevoir le code", phone="079 123 45 67")
            statuses.append(person.page.status)
            if person.step == "phone-code":
                person.press("Corriger le numéro")
    person.code()
    assert statuses.count(200) == 5
    assert statuses.count(429) == 5
    assert len([one for one in inbox.messages if one.channel == "sms"]) == 5
