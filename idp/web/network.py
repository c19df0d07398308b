"""Where a request comes from, as far as throttles care."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from flask import request


def network() -> str:
    """The /24 of an IPv4 user, however the address is written; the /64 of an IPv6 user, who owns all of it.

    Whoever has one address of a /24 has often more of them, and shares each with others.
    """
    try:
        address = ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return "unknown"
    return str(_around(address))


def _around(address: IPv4Address | IPv6Address) -> object:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return ip_network((address, 24 if address.version == 4 else 64), strict=False)
