"""Routes: which gateway takes a message, which is next, and what the file may say."""

import threading
from datetime import timedelta

import pytest
import time_machine

from idp.delivery.messages import Mail, Sms
from idp.delivery.routes import Plan, Route, Routes
from idp.delivery.senders import RefusedError, RetryLaterError, UndeliverableError

MAIL = Mail("someone@example.ch", "Votre code", "texte", "<p>texte</p>")


class Scripted:
    """A sender that does what it is told to, and notes its thread."""

    pulse = 30.0

    def __init__(self, name, does, log):
        self.name, self.does, self.log = name, does, log

    def send(self, message, uid):
        self.log.append((self.name, threading.current_thread().name))
        if isinstance(self.does, Exception):
            raise self.does
        return f"{self.name}-{uid}"

    def tend(self):
        pass

    abort = close = tend


@pytest.fixture
def log():
    return []


@pytest.fixture
def routes(log):
    made = []

    def make(**prefixed):
        """name=(what it does, prefixes…)."""
        sms = tuple(
            Route(Plan(name, 1.0, lambda n=name, d=does: Scripted(n, d, log), tuple(prefixes)))
            for name, (does, *prefixes) in prefixed.items()
        )
        mail = tuple(
            Route(Plan(name, 1.0, lambda n=name, d=does: Scripted(n, d, log)))
            for name, (does, *_) in prefixed.items()
        )
        made.append(Routes(mail=mail, sms=sms))
        return made[-1]

    yield make
    for one in made:
        one.close()


def tried(log):
    return [name for name, _thread in log]


DEAD = RetryLaterError("dead")
BUSY = RetryLaterError("busy", dead=False)


def test_the_longest_prefix_wins(routes, log):
    ways = routes(world=("", ""), swiss=("", "+41"), vevey=("", "+4121", "+33"))
    for number in ("+41791234567", "+41211234567", "+33612345678", "+4915112345678"):
        ways.send("sms", Sms(number, "x"), "uid")
    assert tried(log) == ["swiss", "vevey", "vevey", "world"]


def test_the_next_route_of_that_prefix_takes_over_and_no_other(routes, log):
    ways = routes(first=(DEAD, "+41"), world=("", ""), second=("", "+41", ""))
    carried = ways.send("sms", Sms("+41791234567", "x"), "uid")
    assert (carried.route, carried.reference) == ("second", "second-uid")
    assert tried(log) == ["first", "second"]


def test_a_number_without_a_route_is_undeliverable(routes):
    with pytest.raises(UndeliverableError, match="no route"):
        routes(swiss=("", "+41")).send("sms", Sms("+33612345678", "x"), "uid")


def test_an_sms_is_refused_for_good_only_by_all(routes, log):
    refused = RefusedError("HTTP 400")
    with pytest.raises(UndeliverableError, match="a: HTTP 400; b: HTTP 400"):
        routes(a=(refused, ""), b=(refused, "")).send("sms", Sms("+41791234567", "x"), "uid")
    with pytest.raises(RetryLaterError, match="a: HTTP 400; b: dead"):
        routes(a=(refused, ""), b=(DEAD, "")).send("sms", Sms("+41791234567", "x"), "uid")


def test_a_refused_mail_recipient_is_final_and_asked_nowhere_else(routes, log):
    ways = routes(a=(UndeliverableError("bounced, SMTP 550"),), b=("",))
    with pytest.raises(UndeliverableError, match="a: bounced, SMTP 550"):
        ways.send("email", MAIL, "uid")
    assert tried(log) == ["a"]


def test_what_one_mail_server_cannot_carry_another_may(routes):
    ways = routes(a=(RefusedError("SMTPUTF8 is not offered"),), b=("",))
    assert ways.send("email", MAIL, "uid").route == "b"


def test_a_dead_route_rests_for_half_a_minute_and_is_tried_last(routes, log):
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        ways = routes(a=(DEAD,), b=("",))
        ways.send("email", MAIL, "uid")
        ways.send("email", MAIL, "uid")
        assert tried(log) == ["a", "b", "b"], "nobody waits for it twice"
        now.shift(timedelta(seconds=31))
        ways.send("email", MAIL, "uid")
        assert tried(log)[3:] == ["a", "b"]


def test_a_server_that_only_puts_off_one_message_does_not_rest(routes, log):
    ways = routes(a=(BUSY,), b=("",))
    ways.send("email", MAIL, "uid")
    ways.send("email", MAIL, "uid")
    assert tried(log) == ["a", "b", "a", "b"]


def test_routes_that_all_rest_are_still_tried(routes, log):
    ways = routes(a=(DEAD,), b=(DEAD,))
    for _ in range(2):
        with pytest.raises(RetryLaterError, match="a: dead; b: dead"):
            ways.send("email", MAIL, "uid")
    assert len(log) == 4


def test_a_connection_is_only_ever_used_by_its_own_thread(routes, log):
    ways = routes(a=("",), b=("",))
    threads = [
        threading.Thread(target=ways.send, args=("email", MAIL, str(number))) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {thread for _name, thread in log} == {"lane-a"}
    assert len(log) == 8


def test_a_library_that_breaks_is_a_dead_gateway(routes):
    ways = routes(a=(KeyError("some secret"),), b=("",))
    assert ways.send("email", MAIL, "uid").route == "b"
    with pytest.raises(RetryLaterError) as caught:
        routes(a=(KeyError("some secret"),)).send("email", MAIL, "uid")
    assert "secret" not in str(caught.value)


def test_the_longest_time_is_that_of_a_channels_routes_together(routes):
    ways = routes(a=("", "+41"), b=("", "+41", ""), c=("", "+33"))
    assert ways.longest() == 3.0, "mail has three routes"
    assert Routes(mail=ways.mail[:1], sms=ways.sms).longest() == 2.0


def mail(**options):
    lines = {"name": '"a"', "host": '"h"'} | options
    return "[[mail]]\n" + "\n".join(f"{name} = {value}" for name, value in lines.items())


def sms(**options):
    lines = {"name": '"s"', "type": '"http"', "url": '"https://g.example/"'} | options
    return mail() + "\n[[sms]]\n" + "\n".join(f"{name} = {value}" for name, value in lines.items())
