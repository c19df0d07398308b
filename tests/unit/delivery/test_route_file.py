"""What the routes file says becomes routes, or one clear line."""

import re
import sys
from pathlib import Path

import pytest

from idp.errors import ConfigurationError
from tests.support.settings import override

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
        (mail(name="'our server'"), "digits, dots, - and _, not 'our server'"),
        (mail(enabled="'no'"), "route a: enabled must be true or false"),
        (mail() + "\n" + mail(), "two routes have the same name, a"),
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
        (sms(json="{m = '{text}'}"), "route s: write where {to} or {digits}, the number, goes"),
        (sms(json="{t = '{to}'}"), "route s: write where {text} goes"),
        (sms(json="{}", form="{}"), "write one of json, form and text"),
        (sms(user="['one']"), "user must be [name, password]"),
        (sms(success="{equals = 1}"), "success.equals needs success.json"),
        (sms(success="{status = 200}"), "success.status must be a list"),
        (sms(success="{colour = 1}"), "unknown option success.colour"),
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
