"""Asking addresses that registrations name: no longer, and no nearer, than the deployment allows."""

from idp.extensions import settings
from idp.security.outgoing import Response, Service, public_or


def ask(service: Service, method: str, uri: str, form: dict[str, str] | None = None) -> Response:
    """What it answers, to a form if one is sent. Raises SilentError. Must not run inside a transaction."""
    seconds, reach = settings.client_timeout.total_seconds(), public_or(settings.client_networks)
    return service.ask(method, uri, seconds, reach, data=form)
