"""Where a request comes from, as far as throttles care."""

from ipaddress import ip_address

from flask import request


def network() -> str:
    """The address of an IPv4 user, however it is written; the /64 of an IPv6 user, who owns all of it."""
    try:
        address = ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or address.exploded[:19])
