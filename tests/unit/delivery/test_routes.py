"""Routes: which gateway takes a message, which is next, and what the file may say."""

import re
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from idp.delivery.messages import Mail, Sms
from idp.delivery.routes import Plan, Route, Routes
from idp.delivery.senders import RefusedError, RetryLaterError, UndeliverableError
from idp.errors import ConfigurationError
from tests.support.settings import override

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


# The file.

GOOD = """
[[mail]]
name = "main"
host = "smtp.example.ch"
username = "seuil"
password = "env:SMTP_PASSWORD"
timeout = 8

[[mail]]
name = "spare"
type = "smtp"
host = "spare.example.ch"
port = 465
security = "tls"
idle = 10

[[mail]]
name = "off"
enabled = false
host = "nowhere"

[[sms]]
name = "swiss"
type = "http"
template = "swisscom"
prefixes = ["+41", "+423"]
sender = "Seuil"
values = { client_id = "an id" }

[[sms]]
name = "own"
type = "http"
url = "https://gateway.example/{digits}"
json = { text = "{text}" }
success = { status = [202], json = "ok", equals = true }

[[sms]]
name = "centre"
type = "smpp"
prefixes = ["+33"]
host = "centre.example"
system_id = "seuil"
password = "file:PASSWORD"
sender = "+41790000000"

[[sms]]
name = "many"
type = "apprise"
prefixes = [""]
url = "json://gateway.example/{to}"
"""


@pytest.fixture
def written(app, tmp_path, monkeypatch):
    monkeypatch.setenv("SMTP_PASSWORD", "a password")
    (tmp_path / "password").write_text("secret\n")

    def write(text):
        path = tmp_path / "routes.toml"
        path.write_text(text.replace("file:PASSWORD", f"file:{tmp_path}/password"))
        return override(app, delivery_routes=path)

    return write


def test_a_file_of_routes_is_read_in_its_order(app, written):
    with written(GOOD):
        ways = app.extensions["seuil.routes"]
        assert [route.plan.name for route in ways.mail] == ["main", "spare"]
        assert [route.plan.name for route in ways.sms] == ["swiss", "own", "centre", "many"]
        assert [route.plan.timeout for route in ways.mail] == [8, 10]
        assert [r.plan.name for r in ways.for_number("+41791234567")] == ["swiss"]
        assert [r.plan.name for r in ways.for_number("+4915112345678")] == ["own", "many"]
        main, spare = (route.plan.make() for route in ways.mail)
        assert (main._server.password, main._server.security) == ("a password", "starttls")
        assert (spare._server.port, spare.pulse) == (465, 10)
        assert ways.sms[2].plan.make()._server.password == "secret"
        assert app.extensions["seuil.settings"].sms_enabled


def test_without_an_sms_route_the_deployment_has_no_sms(app, written):
    with written('[[mail]]\nname = "a"\nhost = "h"\n'):
        assert not app.extensions["seuil.settings"].sms_enabled


def mail(**options):
    lines = {"name": '"a"', "host": '"h"'} | options
    return "[[mail]]\n" + "\n".join(f"{name} = {value}" for name, value in lines.items())


def sms(**options):
    lines = {"name": '"s"', "type": '"http"', "url": '"https://g.example/"'} | options
    return mail() + "\n[[sms]]\n" + "\n".join(f"{name} = {value}" for name, value in lines.items())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "is not TOML"),
        ("[mail]\nname = 1", "write each route as a [[mail]] table"),
        ("[[post]]\nname = 'x'", "unknown table post"),
        ("", "no [[mail]] route is enabled"),
        (mail(name="1"), "every route needs a name"),
        (mail() + "\n" + mail(), "two routes have the same name"),
        (mail(port="'many'"), "route a: port must be a whole number"),
        (mail(port="70000"), "route a: port must be from 1"),
        (mail(timeout="0"), "route a: timeout must be above 0"),
        (mail(security="'maybe'"), "route a: security must be one of"),
        (mail(security="'none'"), "this machine only"),
        (mail(password="'env:NOT_SET'"), "environment variable NOT_SET is not set"),
        (mail(colour="'red'"), "route a: unknown option colour"),
        ("[[mail]]\nname = 'a'", "route a: host is missing"),
        (sms(type="'pigeon'"), "route s: type must be http, smpp or apprise"),
        (sms(url="'http://g.example/'"), "route s: url must be https"),
        (sms(url="'gateway'"), "write url like"),
        (sms(prefixes="['41']"), "write prefixes like"),
        (sms(prefixes="[]"), "write prefixes like"),
        (sms(template="'nobody'"), "template must be one of aspsms, ovhcloud, swisscom, twilio"),
        (sms(template="'swisscom'", sender="'S'"), "{client_id} stands for nothing"),
        (sms(json="{t = '{txet}'}"), "{txet} stands for nothing"),
        (sms(json="{f = '{sender}'}"), "sender is missing"),
        (sms(json="{}", form="{}"), "write one of json, form and text"),
        (sms(user="['one']"), "user must be [name, password]"),
        (sms(success="{equals = 1}"), "success.equals needs success.json"),
        (sms(success="{status = 200}"), "status must be a list"),
        (sms(success="{colour = 1}"), "unknown option colour"),
        (sms(signature="'ovhcloud'"), "{application_secret} stands for nothing"),
        (sms(method="'BREW'"), "method must be one of"),
        (sms(headers="{X = 1}"), "headers must be a table of texts"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_clear_line(written, text, said):
    with pytest.raises(ConfigurationError) as caught, written(text):
        pass
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_told(app, tmp_path):
    with (
        pytest.raises(ConfigurationError, match="cannot read"),
        override(app, delivery_routes=tmp_path / "none.toml"),
    ):
        pass


def test_a_lease_shorter_than_all_time_outs_together_is_refused(written):
    three = "\n".join(mail(name=f"'m{number}'", timeout="20") for number in range(3))
    with (
        pytest.raises(ConfigurationError, match="IDP_OUTBOX_LEASE must be at least 65"),
        written(three),
    ):
        pass


def test_the_examples_of_the_page_are_right(app, tmp_path, monkeypatch):
    page = (Path(__file__).parents[3] / "docs" / "delivery.md").read_text()
    text = "\n".join(re.findall(r"```toml\n(.*?)```", page, re.DOTALL))
    for name in set(re.findall(r'"env:(\w+)"', text)):
        monkeypatch.setenv(name, "secret")
    path = tmp_path / "routes.toml"
    path.write_text(re.sub(r'"file:[^"]+"', '"secret"', text))
    with override(app, delivery_routes=path):
        ways = app.extensions["seuil.routes"]
        assert len(ways.mail) == 2
        assert [r.plan.name for r in ways.for_number("+41791234567")] == ["swiss", "world"]
        assert {route.plan.name for route in ways.sms} == {
            "swiss",
            "world",
            "own",
            "centre",
            "other",
        }


@pytest.mark.parametrize("name", ["smpp", "apprise"])
def test_a_sender_whose_library_is_not_there_is_told(written, monkeypatch, name):
    library = {"smpp": "smpplib", "apprise": "apprise"}[name]
    monkeypatch.delitem(sys.modules, f"idp.delivery.sms_{name}", raising=False)
    monkeypatch.delitem(sys.modules, "idp.delivery.smpp_session", raising=False)
    for module in [one for one in sys.modules if one.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    said = re.escape(f"route s: install the extra for it: pip install 'seuil[{name}]'")
    with pytest.raises(ConfigurationError, match=said), written(sms(type=f"'{name}'")):
        pass
