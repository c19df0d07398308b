"""How many applications strangers register, and how long they stay."""

from datetime import timedelta

import time_machine

from idp import clock, housekeeping
from idp.clients import registry
from tests.support.accounts import ADDRESS
from tests.support.agreeing import YES
from tests.support.journey import Person
from tests.support.portal import TestClientApp
from tests.support.registering import URI, Developer, token
from tests.support.settings import override
from tests.support.tokens import redeem


def test_strangers_register_no_more_than_their_network_and_all_together_may(developer, app):
    with override(app, registrations_per_network=2):
        assert [developer.register().status_code for _ in range(3)] == [201, 201, 429]
        assert int(developer.register().headers["Retry-After"]) <= 3601
        assert developer.register(token()).status_code == 201, "whoever has a token is not counted"
        elsewhere = Developer(app)
        elsewhere.browser.environ_base["REMOTE_ADDR"] = "192.0.2.7"
        assert elsewhere.register().status_code == 201
        with override(app, registrations_per_day=3):
            assert elsewhere.register().status_code == 429
        changes = [developer.manage("PUT", developer.repeatable).status_code for _ in range(3)]
        assert changes == [200, 200, 429]


def test_one_line_leaves_others_room_to_register(developer, app):
    def from_(address):
        developer.browser.environ_base["REMOTE_ADDR"] = address
        return developer.register().status_code

    with override(app, registrations_per_day=8):
        told = [from_(f"2001:db8:0:{number}::1") for number in range(3)]
        assert (told, from_("2001:db8:1::1")) == ([201, 201, 429], 201)


def test_no_token_makes_us_ask_for_ever(developer, app):
    value = token()
    asked = {"subject_type": "pairwise", "sector_identifier_uri": "https://[::1]:1/sector"}
    with override(app, registrations_per_network=2):
        answers = [developer.register(value, **asked).status_code for _ in range(3)]
        assert answers == [400, 400, 429]
        assert developer.register(value).status_code == 201


def test_what_nobody_uses_goes_and_what_somebody_vouched_for_stays(developer, app, inbox, account):
    developer.register()
    vouched, used = Developer(app), Developer(app)
    vouched.register(token())
    used.register()
    begin = clock.now()
    with time_machine.travel(begin, tick=False) as now:
        now.shift(timedelta(days=20))
        client = TestClientApp(used.known["client_id"], used.known["client_secret"], URI)
        person = Person(app, inbox, client)
        person.authorize(scope="openid").two_factors(ADDRESS).press(YES)
        redeem(person)
        now.shift(timedelta(days=11))
        housekeeping.purge()
        assert registry.find(developer.known["client_id"]) is None
        assert registry.find(used.known["client_id"])
        now.shift(timedelta(days=20))
        housekeeping.purge()
        assert registry.find(used.known["client_id"]) is None
        assert registry.find(vouched.known["client_id"])
