"""Which addresses the provider lets others lead it to."""

from ipaddress import ip_network

import pytest

from idp.security.outgoing import Service, SilentError, public_or
from tests.support.signing import publishing

INSIDE = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.1.2.3", True),
        ("10.0.0.1", False),
        ("10.1.2.3", True),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("fe80::1%eth0", False),
        ("fd00::1", True),
        ("fc00::1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::1", False),
    ],
)
def test_private_addresses_are_reached_only_where_allowed(address: str, reached: bool) -> None:
    assert public_or(INSIDE)(address) is reached


def test_nothing_is_said_to_an_address_that_is_not_allowed() -> None:
    service = Service(at_once=1, largest=1000)
    with publishing() as server:
        by_name = server.url.replace("127.0.0.1", "localhost")
        for url in (server.url, by_name):
            with pytest.raises(SilentError):
                service.ask("GET", url, 5, public_or(()))
        assert server.asked == 0
        here = public_or((ip_network("127.0.0.0/8"),))
        assert service.ask("GET", server.url, 5, here).status == 200
        assert service.ask("GET", server.url, 5).status == 200
