"""Connections to an LDAP directory. Only this module speaks to ldap3, which nobody has released since 2021."""

import math
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

with warnings.catch_warnings():
    # It asks pyasn1 for names that are deprecated there.
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import LDAPExceptionError
    from ldap3.utils.conv import escape_filter_chars

__all__ = ["Directory", "escape_filter_chars"]


class Directory:
    """One server. Each connection to it is protected before anything is said, and ends after `timeout` seconds,
    which ldap3 counts in whole ones. Referrals are not followed."""

    def __init__(self, url: str, *, start_tls: bool, ca_file: Path | None, timeout: float) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "ldaps"
        self.seconds = math.ceil(timeout)
        self._start_tls = start_tls and not secure
        self._server = ldap3.Server(
            parts.hostname,
            port=parts.port or (636 if secure else 389),
            use_ssl=secure,
            tls=_Tls(ca_certs_file=str(ca_file) if ca_file else None),
            get_info=ldap3.NONE,
            connect_timeout=timeout,
        )

    @contextmanager
    def connected(self, dn: str, password: str) -> Iterator[Any]:
        """A connection that can be bound in the name of `dn`; of nobody, when that is empty.

        Raises whatever ldap3 raises.
        """
        connection = ldap3.Connection(
            self._server,
            user=dn or None,
            password=password or None,
            authentication=ldap3.SIMPLE if dn else ldap3.ANONYMOUS,
            auto_referrals=False,
            read_only=True,
            check_names=False,
            return_empty_attributes=False,
            receive_timeout=self.seconds,
        )
        deadline = threading.Timer(self.seconds, _cut, [connection])
        deadline.daemon = True
        deadline.start()
        try:
            connection.open()
            if self._start_tls and not connection.start_tls():
                raise ConnectionError("StartTLS was refused")
            yield connection
        finally:
            deadline.cancel()
            _end(connection)


class _Tls(ldap3.Tls):  # type: ignore[misc]
    """Certificates and names checked by Python itself; the library's own check is not in later Pythons."""

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ARG002
        context = ssl.create_default_context(cafile=self.ca_certs_file)
        connection.socket = context.wrap_socket(
            connection.socket, server_hostname=connection.server.host
        )


def _cut(connection: Any) -> None:
    """A directory that says something now and then would hold its asker for ever."""
    with suppress(OSError, AttributeError):
        connection.socket.shutdown(socket.SHUT_RDWR)


def _end(connection: Any) -> None:
    """Say good-bye, and let go of the socket also where that cannot be said."""
    kept = connection.socket
    with suppress(LDAPExceptionError, OSError):
        connection.unbind()
    if kept is not None:
        kept.close()
