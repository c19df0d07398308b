"""A gateway is believed only behind a certificate for its own name, signed by somebody we trust."""

import pytest

from idp.delivery import options
from idp.delivery.messages import Sms
from idp.delivery.senders import RetryLaterError
from idp.delivery.sms_http import HttpSmsSender
from tests.support.certificates import Authority
from tests.support.gateway import answering


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def sent_to(host, authority):
    """What a gateway with a certificate for `host` was asked."""
    with answering(authority.issue(host)) as gateway:
        sender = HttpSmsSender(options.http_gateway({"url": f"{gateway.url}/sms"}), 2.0)
        try:
            sender.send(Sms("+41791234567", "123456"), "uid")
        finally:
            sender.close()
            asked = list(gateway.asked)
    return asked


def test_a_certificate_for_its_own_name_by_somebody_trusted(authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    assert [one.path for one in sent_to("127.0.0.1", authority)] == ["/sms"]


def test_a_certificate_by_nobody_we_trust(authority, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with pytest.raises(RetryLaterError, match="SSLError"):
        sent_to("127.0.0.1", authority)


def test_a_certificate_for_another_name(authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with pytest.raises(RetryLaterError, match="SSLError"):
        sent_to("elsewhere.example.ch", authority)
