"""SMS over an HTTP gateway: any, and those that we have a template for."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from pydantic import SecretStr

from idp.delivery import options
from idp.delivery.http_gateway import at
from idp.delivery.messages import Sms
from idp.delivery.senders import RefusedError, RetryLaterError
from idp.delivery.sms_http import HttpSmsSender
from tests.support.gateway import answering
from tests.support.ports import free_port
from tests.support.settings import override

SMS = Sms("+41791234567", '123456 : "code" & é\n\n@host #123456')


@pytest.fixture
def gateway():
    with answering() as gateway:
        yield gateway


def send(table, sms=SMS, uid="the uid"):
    sender = HttpSmsSender(options.http_gateway(table), 2.0)
    try:
        return sender.send(sms, uid)
    finally:
        sender.close()


def test_the_simple_options_send_number_text_and_token(app, gateway):
    with override(app, sms_url=f"{gateway.url}/sms", sms_token=SecretStr("gateway token")):
        sender = app.extensions["seuil.routes"].sms[0].plan.make()
        sender.send(SMS, "uid")
        sender.close()
    (asked,) = gateway.asked
    assert (asked.method, asked.path) == ("POST", "/sms")
    assert asked.headers["Authorization"] == "Bearer gateway token"
    assert json.loads(asked.body) == {"to": SMS.to, "text": SMS.text}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RefusedError),
        (422, RefusedError),
        (401, RetryLaterError),
        (404, RetryLaterError),
        (408, RetryLaterError),
        (429, RetryLaterError),
        (500, RetryLaterError),
        (503, RetryLaterError),
    ],
)
def test_4xx_about_the_message_is_a_refusal_and_the_rest_is_for_later(gateway, status, error):
    gateway.status = status
    with pytest.raises(error, match=str(status)):
        send({"url": gateway.url, "json": {"to": "{to}"}})


def test_a_redirect_is_not_followed(gateway):
    gateway.status, gateway.location = 302, gateway.url + "/elsewhere"
    with pytest.raises(RetryLaterError):
        send({"url": f"{gateway.url}/sms", "json": {"to": "{to}"}})
    assert [asked.path for asked in gateway.asked] == ["/sms"]


def test_a_dead_gateway_is_a_reason_to_retry_and_its_error_names_nobody():
    with pytest.raises(RetryLaterError) as caught:
        send(
            {
                "url": f"http://127.0.0.1:{free_port()}/?to={{to}}&key={{key}}",
                "values": {"key": "k"},
            }
        )
    assert "791234567" not in str(caught.value)


def test_each_place_protects_what_is_put_into_it(gateway, monkeypatch, tmp_path):
    """Quoted in a URL, escaped in JSON, a form or XML: a text never becomes a parameter of its own."""
    monkeypatch.setenv("SMS_KEY", "from the environment")
    (tmp_path / "secret").write_text("from a file\n")
    values = {"key": "env:SMS_KEY", "secret": f"file:{tmp_path}/secret"}
    common = {"sender": "A&B", "values": values, "headers": {"X-Key": "{key}", "X-Ref": "{id}"}}
    url = f"{gateway.url}/{{digits}}/send?from={{sender}}&s={{secret}}"
    send({"url": url, "json": {"deep": [{"text": "{text}", "n": 1, "to": "0{to}"}]}, **common})
    send({"url": url, "form": {"text": "{text}", "to": "{to}"}, **common})
    send({"url": url, "text": "<m to='{to}'>{text}</m>", "escape": "xml", **common})
    by_json, by_form, by_text = gateway.asked
    for asked in gateway.asked:
        parts = urlsplit(asked.path)
        assert parts.path == "/41791234567/send"
        assert parse_qs(parts.query) == {"from": ["A&B"], "s": ["from a file"]}
        assert asked.headers["X-Key"] == "from the environment"
        assert asked.headers["X-Ref"] == "the uid"
    assert json.loads(by_json.body) == {"deep": [{"text": SMS.text, "n": 1, "to": f"0{SMS.to}"}]}
    assert parse_qs(by_form.body.decode()) == {"text": [SMS.text], "to": [SMS.to]}
    assert by_text.body.decode().startswith(
        "<m to='+41791234567'>123456 : &quot;code&quot; &amp; é"
    )


def test_a_value_is_one_step_of_a_path(gateway):
    url = f"{gateway.url}/{{account}}/send"
    send({"url": url, "text": "{text}", "values": {"account": "../a/b?c"}})
    assert gateway.asked[0].path == "/..%2Fa%2Fb%3Fc/send"


def test_a_text_that_looks_like_a_placeholder_stays_a_text(gateway):
    table = {"url": gateway.url, "json": {"text": "{text}"}, "values": {"key": "a secret"}}
    send({**table, "headers": {"X": "{key}"}}, Sms("+41791234567", "{key} {id}"))
    assert json.loads(gateway.asked[0].body) == {"text": "{key} {id}"}


@pytest.mark.parametrize(
    ("rule", "body", "accepted"),
    [
        ({"status": [200]}, b"", True),
        ({"status": [202]}, b"", False),
        ({"contains": "OK"}, b"queued: OK", True),
        ({"contains": "OK"}, b"queued", False),
        ({"json": "status.code", "equals": 0}, b'{"status": {"code": 0}}', True),
        ({"json": "status.code", "equals": 0}, b'{"status": {"code": 7}}', False),
        ({"json": "messages.0.id"}, b'{"messages": [{"id": "x"}]}', True),
        ({"json": "messages.0.id"}, b'{"messages": []}', False),
        ({"json": "ok", "equals": True}, b'{"ok": true}', True),
        ({"json": "ok", "equals": True}, b"nonsense", False),
        ({"json": "ok", "equals": True}, b"[" * 60000, False),
    ],
)
def test_an_answer_is_read_as_the_rule_says(gateway, rule, body, accepted):
    gateway.body = body
    table = {"url": gateway.url, "json": {"to": "{to}"}, "success": rule}
    if accepted:
        send(table)
    else:
        with pytest.raises((RefusedError, RetryLaterError)):
            send(table)


def test_the_gateways_name_for_a_message_is_kept(gateway):
    gateway.body = b'{"ids": [12345]}'
    table = {"url": gateway.url, "json": {"to": "{to}"}, "reference": "ids.0"}
    assert send(table) == "12345"
    gateway.body = b"nonsense"
    assert send(table) == ""


def test_nobodys_netrc_is_sent_to_a_gateway(gateway, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    send({"url": gateway.url, "json": {"to": "{to}"}})
    assert "Authorization" not in gateway.asked[0].headers


def test_a_path_through_nothing_leads_nowhere():
    assert at(b'{"a": [1]}', "a.5") is None
    assert at(b'{"a": [1]}', "a.b.c") is None
    assert at(b"\xff", "a") is None


# Templates: what the public documentation of each gateway asks for, checked by a server of our own.


def templated(gateway, name, base, **more):
    """The template, sent to our own server instead of the gateway's."""
    table = {"template": name, "sender": "Seuil", **more}
    real = options.http_gateway(table).url
    assert real.startswith(base)
    return send({**table, "url": gateway.url + real.removeprefix(base)})


def test_swisscom(gateway):
    gateway.status = 201
    templated(gateway, "swisscom", "https://api.swisscom.com", values={"client_id": "the id"})
    (asked,) = gateway.asked
    assert (asked.method, asked.path) == ("POST", "/messaging/sms")
    assert asked.headers["client_id"] == "the id"
    assert asked.headers["SCS-Version"] == "2"
    assert asked.headers["Content-Type"] == "application/json"
    assert json.loads(asked.body) == {"to": SMS.to, "from": "Seuil", "text": SMS.text}


def test_aspsms_says_in_the_body_how_it_went(gateway):
    values = {"userkey": "key", "password": "pass"}
    gateway.body = b'{"StatusCode": "1", "StatusInfo": "OK"}'
    templated(gateway, "aspsms", "https://json.aspsms.com", values=values)
    (asked,) = gateway.asked
    assert asked.path == "/SendTextSMS"
    assert json.loads(asked.body) == {
        "UserName": "key",
        "Password": "pass",
        "Originator": "Seuil",
        "Recipients": [SMS.to],
        "MessageText": SMS.text,
        "ForceGSM7bit": True,
    }
    gateway.body = b'{"StatusCode": "3", "StatusInfo": "Authorization failed"}'
    with pytest.raises(RefusedError, match="not accepted"):
        templated(gateway, "aspsms", "https://json.aspsms.com", values=values)


def test_ovhcloud_is_signed_over_what_is_sent(gateway):
    values = {
        "service": "sms-ab1-1",
        "application_key": "AK",
        "application_secret": "AS",
        "consumer_key": "CK",
    }
    gateway.body = b'{"validReceivers": ["+41791234567"], "invalidReceivers": [], "ids": [7]}'
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        name = templated(gateway, "ovhcloud", "https://eu.api.ovh.com", values=values)
    assert name == "7"
    (asked,) = gateway.asked
    assert asked.path == "/1.0/sms/sms-ab1-1/jobs"
    assert (asked.headers["X-Ovh-Application"], asked.headers["X-Ovh-Consumer"]) == ("AK", "CK")
    assert asked.headers["X-Ovh-Timestamp"] == "1767268800"
    signed = f"AS+CK+POST+{gateway.url}{asked.path}+{asked.body.decode()}+1767268800"
    assert asked.headers["X-Ovh-Signature"] == f"$1${hashlib.sha1(signed.encode()).hexdigest()}"
    body = json.loads(asked.body)
    assert (body["receivers"], body["message"]) == ([SMS.to], SMS.text)
    assert body["noStopClause"] is True
    gateway.body = b'{"validReceivers": [], "invalidReceivers": ["+41791234567"], "ids": []}'
    with pytest.raises(RefusedError):
        templated(gateway, "ovhcloud", "https://eu.api.ovh.com", values=values)


def test_twilio(gateway):
    gateway.status, gateway.body = 201, b'{"sid": "SM1", "status": "queued"}'
    values = {"account": "AC1", "user": "SK1", "password": "token"}
    assert templated(gateway, "twilio", "https://api.twilio.com", values=values) == "SM1"
    (asked,) = gateway.asked
    assert asked.path == "/2010-04-01/Accounts/AC1/Messages.json"
    basic = base64.b64encode(b"SK1:token").decode()
    assert asked.headers["Authorization"] == f"Basic {basic}"
    assert parse_qs(asked.body.decode()) == {"To": [SMS.to], "From": ["Seuil"], "Body": [SMS.text]}
    gateway.status, gateway.body = 400, b'{"code": 21211}'
    with pytest.raises(RefusedError):
        templated(gateway, "twilio", "https://api.twilio.com", values=values)


def test_a_secret_stays_out_of_what_is_printed():
    table = {"template": "aspsms", "sender": "S", "values": {"userkey": "k", "password": "hidden"}}
    assert "hidden" not in repr(options.http_gateway(table))
