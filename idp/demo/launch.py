"""Starting the demonstration: state, servers, a table of people, and stopping it all again."""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from werkzeug.serving import make_server

from config import Settings
from idp import schema
from idp.app import create_app
from idp.clients import manage
from idp.clients.manage import NewClient
from idp.demo import inbox as inboxes
from idp.demo import legacy_store, portal
from idp.demo import state as states
from idp.demo.portal import PortalOptions
from idp.demo.state import State
from idp.errors import ConfigurationError
from idp.extensions import transaction
from idp.keys import kek, signing


@dataclass(frozen=True)
class Options:
    """Ports, where to keep state, and whether to forget it first."""

    port: int = 8000
    portal_port: int = 8001
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
            "inbox": f"http://localhost:{self.inbox_port}",
        }


def run(options: Options) -> None:
    """Serve until Ctrl-C. Raises ConfigurationError for a busy port or an unwritable folder."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with serving(options) as state:
        _announce(options, state)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            Console(stderr=True).print("Stopping.")


@contextmanager
def serving(options: Options) -> Iterator[State]:
    """Everything up, in threads of this process; stopped on the way out."""
    _check_ports(options)
    state = states.prepare(options.state, reset=options.reset)
    kept = states.remembered(state)
    inbox = inboxes.Inbox()
    with ExitStack() as stack:
        _start_smtp(stack, inbox, options.smtp_port)
        _serve(stack, inboxes.create_app(inbox, kept["sms_token"]), options.inbox_port)
        provider = _provider(options, state, kept)
        stack.callback(provider.extensions["seuil.worker"].stop)
        _serve(stack, provider, options.port)
        _serve(stack, _portal(options, kept), options.portal_port)
        states.write_summary(state, options.urls, kept["client"])
        yield state


def _provider(options: Options, state: State, kept: dict[str, Any]) -> Flask:
    """The real application, prepared as an administrator would with the command line."""
    if not state.kek.exists():
        kek.create(state.kek)
    app = create_app(_settings(options, state, kept).model_copy(update={"worker": "external"}))
    with app.app_context():
        schema.upgrade()
        with transaction():
            for alg in signing.lacking():
                signing.create(alg)
        kept["client"] = _client(options, kept.get("client"))
    states.remember(state, kept)
    return create_app(_settings(options, state, kept))


def _settings(options: Options, state: State, kept: dict[str, Any]) -> Settings:
    return Settings(
        issuer=options.urls["issuer"],
        database_url=f"sqlite:///{state.database}",
        kek_file=state.kek,
        legacy_sources=state.sources,
        worker="inline",
        log_level="WARNING",
        smtp_port=options.smtp_port,
        smtp_security="none",
        mail_from="ne-pas-repondre@e-services.example",
        sms_url=f"{options.urls['inbox']}/sms",
        sms_token=SecretStr(kept["sms_token"]),
        support_contact="assistance@e-services.example",
    )


def _client(options: Options, kept: dict[str, Any] | None) -> dict[str, Any]:
    """The portal's registration; its addresses follow the port of this start."""
    home = options.urls["portal"]
    addresses = {
        "redirect_uris": (f"{home}/callback",),
        "post_logout_redirect_uris": (f"{home}/",),
        "client_uri": f"{home}/",
        "initiate_login_uri": f"{home}/login",
    }
    with transaction():
        if kept and manage.get(kept["client_id"]):
            manage.update_client(kept["client_id"], addresses)
            return {**kept, "redirect_uris": [*addresses["redirect_uris"]]}
        client, secret = manage.create(NewClient(client_name=portal.NAME, **addresses))  # type: ignore[arg-type]
        return {
            "client_id": client.client_id,
            "client_secret": secret,
            "redirect_uris": list(client.redirect_uris),
        }


def _portal(options: Options, kept: dict[str, Any]) -> Flask:
    return portal.create_app(
        PortalOptions(
            issuer=options.urls["issuer"],
            client_id=kept["client"]["client_id"],
            client_secret=kept["client"]["client_secret"],
            cookie_key=kept["cookie_key"],
        )
    )


def _check_ports(options: Options) -> None:
    ports = [options.port, options.portal_port, options.inbox_port, options.smtp_port]
    if len(set(ports)) < len(ports):
        raise ConfigurationError("each part of the demo needs a port of its own")


def _start_smtp(stack: ExitStack, inbox: inboxes.Inbox, port: int) -> None:
    controller = inboxes.smtp_server(inbox, port)
    try:
        controller.start()
    except OSError:
        controller.loop.close()
        raise ConfigurationError(f"port {port} is busy; choose another with --smtp-port") from None
    stack.callback(controller.stop)


def _serve(stack: ExitStack, app: Flask, port: int) -> None:
    """Serve on loopback, in a thread of its own."""
    try:
        server = make_server("127.0.0.1", port, app, threaded=True)
    except (OSError, SystemExit):
        raise ConfigurationError(
            f"port {port} is busy; choose another (see idp demo --help)"
        ) from None
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
        f"Written to {state.summary}. Start at {options.urls['portal']}. Ctrl-C stops it all."
    )
