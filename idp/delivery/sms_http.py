"""SMS over an HTTP gateway."""

import socket
from urllib.parse import urlsplit

import requests

from idp.delivery.http_gateway import HttpGateway, at, judge, sign, write
from idp.delivery.messages import Sms
from idp.delivery.senders import RetryLaterError

_LONGEST_ANSWER = 65536


class HttpSmsSender:
    """One gateway; `timeout` in seconds."""

    pulse = 30.0

    def __init__(self, gateway: HttpGateway, timeout: float) -> None:
        self._gateway, self._timeout = gateway, timeout
        self._session = requests.Session()

    def send(self, message: Sms, uid: str) -> str:
        """Ask the gateway to send; its name for the message. Raises as `Sender.send` says."""
        request = self._session.prepare_request(write(self._gateway, message, uid))
        sign(self._gateway, request)
        settings = self._session.merge_environment_settings(request.url, {}, True, None, None)
        try:
            with self._session.send(
                request, timeout=self._timeout, allow_redirects=False, **settings
            ) as answer:
                body = self._body(answer)
        except (requests.RequestException, OSError) as error:
            raise RetryLaterError(type(error).__name__) from error
        judge(self._gateway.success, answer.status_code, body)
        found = at(body, self._gateway.reference) if self._gateway.reference else None
        return str(found)[:100] if isinstance(found, str | int) else ""

    def _body(self, answer: requests.Response) -> bytes:
        """As much of the answer as is read; one that breaks off matters only where a rule reads it."""
        rule = self._gateway.success.reads_body
        if not (rule or self._gateway.reference):
            return b""
        body = b""
        try:
            for piece in answer.iter_content(_LONGEST_ANSWER):
                body += piece
                if len(body) >= _LONGEST_ANSWER:
                    break
        except (requests.RequestException, OSError):
            if rule:
                raise
        return body

    def tend(self) -> None:
        """Let go of kept connections."""
        self._session.close()

    def problem(self) -> str | None:
        """Is it safe, and does anybody listen? No message is sent."""
        url = urlsplit(self._gateway.url)
        where = (url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
        try:
            socket.create_connection(where, self._timeout).close()
        except OSError as error:
            return f"{where[0]}:{where[1]} cannot be reached: {error}"
        return None

    def abort(self) -> None:
        """Nothing to cut: each read ends within its own time-out."""

    def close(self) -> None:
        """Let go of kept connections."""
        self._session.close()
