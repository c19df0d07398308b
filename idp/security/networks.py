"""Networks as counters know them: what one line of a person, or of a company, may have many of."""

from ipaddress import ip_network


def site(network: str) -> str:
    """The /48 around an IPv6 network, which often is one line; any other network by itself."""
    return str(ip_network(network).supernet(new_prefix=48)) if ":" in network else network
