"""SMS through Apprise, to a real HTTP server."""

import json
from urllib.parse import urlsplit

import pytest

from idp.delivery.messages import Sms
from idp.delivery.senders import RetryLaterError
from idp.delivery.sms_apprise import plan
from idp.delivery.tables import TomlTable
from tests.support.gateway import answering

SMS = Sms("+41791234567", "123456 : code de connexion")


@pytest.fixture
def gateway():
    with answering() as gateway:
        yield gateway


def sender(url, **more):
    return plan(TomlTable({"url": url, **more}))()


def test_number_and_text_are_handed_over(gateway):
    host = urlsplit(gateway.url).netloc
    values = {"user": "name", "password": "p@ss/word"}
    one = sender(f"json://{{user}}:{{password}}@{host}/sms/{{to}}", values=values)
    assert one.problem() is None
    one.send(SMS, "uid")
    (asked,) = gateway.asked
    assert asked.path.startswith("/sms/")
    assert asked.path.endswith("41791234567")
    assert asked.headers["Authorization"].startswith("Basic ")
    assert json.loads(asked.body)["message"] == SMS.text


def test_a_gateway_that_says_no_is_a_reason_to_retry_that_names_nobody(gateway, capfd, caplog):
    gateway.status = 500
    with pytest.raises(RetryLaterError) as caught:
        sender(f"json://{urlsplit(gateway.url).netloc}/{{to}}").send(SMS, "uid")
    said = str(caught.value) + capfd.readouterr().err + caplog.text
    assert "791234567" not in said
    assert "123456" not in said


def test_a_url_that_apprise_does_not_know_is_told():
    assert "does not understand" in sender("pigeon://{to}").problem()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "json://gateway/"}, "where {to} or {digits} goes"),
        ({"url": "json://{key}@gateway/{to}"}, "{key} stands for nothing"),
        ({"url": "json://gateway/{sender}/{to}"}, "sender is missing"),
        ({"url": "json://gateway/{to}", "colour": "red"}, "unknown option colour"),
    ],
)
def test_a_wrong_option_is_told(options, said):
    with pytest.raises(ValueError, match=said):
        plan(TomlTable(options))
