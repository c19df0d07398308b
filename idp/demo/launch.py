"""Starting the demonstration: state, servers, a table of people, and stopping it all again."""

import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from rich.console import Console
from rich.table import Table
from werkzeug.serving import make_server

from idp.demo import inbox as inboxes
from idp.demo import legacy_store, portal, provider
from idp.demo import state as states
from idp.demo.portal import Face, PortalOptions
from idp.demo.state import State
from idp.errors import ConfigurationError

_STOPS = {signal.SIGINT, signal.SIGTERM}


@dataclass(frozen=True)
class Options:
    """Ports, where to keep state, and whether to forget it first."""

    port: int = 8000
    portal_port: int = 8001
    archive_port: int = 8002
    inbox_port: int = 8025
    smtp_port: int = 8026
    state: Path = Path("demo-state")
    reset: bool = False

    @property
    def urls(self) -> dict[str, str]:
        """Where a person finds each part."""
        return {
            "issuer": f"http://localhost:{self.port}",
            "portal": f"http://localhost:{self.portal_port}",
            "archive": f"http://localhost:{self.archive_port}",
            "inbox": f"http://localhost:{self.inbox_port}",
        }


def run(options: Options) -> None:
    """Serve until Ctrl-C or SIGTERM. Raises ConfigurationError for busy ports or an unfit folder.

    The signals are waited for, not handled, so that a second one cannot disturb the stopping.
    """
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    for stop in _STOPS:
        # A shell leaves SIGINT ignored in what it starts in the background.
        signal.signal(stop, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    with serving(options) as state:
        _announce(options, state)
        signal.sigwait(_STOPS)
        Console(stderr=True).print("Stopping.")


@contextmanager
def serving(options: Options) -> Iterator[State]:
    """Everything up, in threads of this process; stopped on the way out."""
    inbox = inboxes.Inbox()
    with ExitStack() as stack:
        state = stack.enter_context(states.held(options.state))
        _check_ports(options)
        states.fill(state, reset=options.reset)
        kept = states.remembered(state)
        _start_smtp(stack, inbox, options.smtp_port)
        _serve(stack, inboxes.create_app(inbox, kept["sms_token"]), options.inbox_port)
        app = provider.prepared(options.urls, options.smtp_port, state, kept)
        stack.callback(app.extensions["seuil.worker"].stop)
        _serve(stack, app, options.port)
        _serve(stack, _portal(options, kept, "client", portal.HOUSE), options.portal_port)
        _serve(stack, _portal(options, kept, "archive", portal.ARCHIVE), options.archive_port)
        states.write_summary(state, options.urls, kept["client"])
        yield state


def _portal(options: Options, kept: dict[str, Any], name: str, face: Face) -> Flask:
    return portal.create_app(
        PortalOptions(
            issuer=options.urls["issuer"],
            client_id=kept[name]["client_id"],
            client_secret=kept[name]["client_secret"],
            cookie_key=kept["cookie_key"],
            face=face,
        )
    )


def _check_ports(options: Options) -> None:
    """Say at once which ports cannot be had, all of them."""
    ports = {
        "--port": options.port,
        "--portal-port": options.portal_port,
        "--archive-port": options.archive_port,
        "--inbox-port": options.inbox_port,
        "--smtp-port": options.smtp_port,
    }
    if len(set(ports.values())) < len(ports):
        raise ConfigurationError("each part of the demo needs a port of its own")
    refused = {flag: why for flag, port in ports.items() if (why := _refusal(port))}
    if refused:
        named = ", ".join(f"{ports[flag]} ({flag}: {why})" for flag, why in refused.items())
        raise ConfigurationError(f"ports that cannot be had: {named}; choose others")


def _refusal(port: int) -> str:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        return "busy" if error.errno == errno.EADDRINUSE else os.strerror(error.errno or 0)
    return ""


def _start_smtp(stack: ExitStack, inbox: inboxes.Inbox, port: int) -> None:
    controller = inboxes.smtp_server(inbox, port)
    try:
        controller.start()
    except OSError:
        controller.loop.close()
        raise ConfigurationError(f"port {port} is busy") from None
    stack.callback(controller.stop)


def _serve(stack: ExitStack, app: Flask, port: int) -> None:
    """Serve on loopback, in a thread of its own."""
    try:
        server = make_server("127.0.0.1", port, app, threaded=True)
    except (OSError, SystemExit):
        raise ConfigurationError(f"port {port} is busy") from None
    thread = threading.Thread(target=server.serve_forever, name=f"port-{port}", daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    stack.callback(stop)


def _announce(options: Options, state: State) -> None:
    console = Console()
    for name, url in options.urls.items():
        console.print(f"{name:>8}  {url}")
    table = Table("identifier", "password", "name", "locked", title="People of the old portal")
    for user in legacy_store.people():
        name = f"{user.first_name} {user.last_name}"
        table.add_row(user.identifier, user.password, name, "yes" if user.locked else "")
    console.print(table)
    console.print(
        f"Written to {state.summary}. Start at {options.urls['portal']}. Ctrl-C stops it all.",
        soft_wrap=True,
    )
