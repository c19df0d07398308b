"""Where answers may go: redirect URIs compared character by character (RFC 9700 2.1).

Native applications are the one exception: on the loopback interface any port will do (RFC 8252 7.3).
"""

import re

from idp.clients.registration import Registration

_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::([1-9][0-9]{0,4}))?([/?][\x21-\x7e]*)?")


def accepts(client: Registration, uri: str) -> bool:
    """Whether an answer for this client may go there."""
    if uri in client.redirect_uris:
        return True
    return client.application_type == "native" and _without_port(uri) in {
        found for one in client.redirect_uris if (found := _without_port(one))
    }


def _without_port(uri: str) -> tuple[str, str] | None:
    """Host and all behind the port of an address of this machine; None for any other."""
    found = _LOOPBACK.fullmatch(uri)
    if found is None or (found[2] and int(found[2]) > 65535):
        return None
    return found[1], found[3] or ""
