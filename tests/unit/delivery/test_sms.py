"""SMS over an HTTP gateway."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from idp.delivery.messages import Sms
from idp.delivery.senders import HttpSmsSender, RetryLaterError, UndeliverableError
from tests.support.ports import free_port
from tests.support.settings import override

SMS = Sms("+41791234567", "123456 : code")


@pytest.fixture
def gateway():
    """Answers what it is told to; keeps requests."""

    class Handler(BaseHTTPRequestHandler):
        status, location, requests = 200, None, []

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            Handler.requests.append((self.path, dict(self.headers), body))
            self.send_response(Handler.status)
            if Handler.location:
                self.send_header("Location", Handler.location)
            self.end_headers()

        def log_message(self, *_):
            pass

    Handler.requests = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    Handler.url = f"http://127.0.0.1:{server.server_address[1]}/sms"
    yield Handler
    server.shutdown()
    server.server_close()
    thread.join()


def send(app, url, **changes):
    sender = HttpSmsSender()
    try:
        with override(app, sms_url=url, **changes):
            sender.send(SMS)
    finally:
        sender.close()


def test_the_gateway_gets_number_text_and_token(app, gateway):
    send(app, gateway.url, sms_token=SecretStr("gateway token"))
    _path, headers, body = gateway.requests[0]
    assert headers["Authorization"] == "Bearer gateway token"
    assert b'"+41791234567"' in body


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, UndeliverableError),
        (422, UndeliverableError),
        (408, RetryLaterError),
        (429, RetryLaterError),
        (500, RetryLaterError),
        (503, RetryLaterError),
    ],
)
def test_4xx_is_for_good_and_the_rest_for_now(app, gateway, status, error):
    gateway.status = status
    with pytest.raises(error, match=str(status)):
        send(app, gateway.url)


def test_a_redirect_is_not_followed(app, gateway):
    gateway.status, gateway.location = 302, gateway.url + "/elsewhere"
    with pytest.raises(RetryLaterError):
        send(app, gateway.url)
    assert [path for path, _, _ in gateway.requests] == ["/sms"]


def test_a_dead_gateway_is_a_reason_to_retry_and_its_error_names_nobody(app):
    with pytest.raises(RetryLaterError) as caught:
        send(app, f"http://127.0.0.1:{free_port()}/", sms_timeout=timedelta(seconds=1))
    assert "791234567" not in str(caught.value)
