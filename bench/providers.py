"""Providers to measure: ours on either engine, as `idp run` serves it, and npm's oidc-provider."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Flask

from bench.load import REDIRECT_URI, SCOPE, Load, Party
from config import Settings
from idp.app import create_app
from idp.keys import kek
from tests.support import database, portal
from tests.support.accounts import ADDRESS, make_account
from tests.support.inbox import Inbox
from tests.support.journey import Person
from tests.support.ports import free_port, wait_for
from tests.support.remote import RemoteBrowser
from tests.support.server import environment
from tests.support.settings import make_settings

_PEER = Path(__file__).parent / "peer"
_START = "import sys; sys.argv[0] = 'idp'; from idp.cli.main import main; main()"
_PATHS = {"authorize": "/authorize", "token": "/token", "userinfo": "/userinfo"}


*_, LOAD_CORE, SERVER_CORE = sorted(os.sched_getaffinity(0))


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What this thread does, and what it starts, happens on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class Server:
    """A provider that runs in a process of its own, and what asks it."""

    name: str
    process: int
    load: Load

    def cpu(self) -> float:
        """Seconds of processor time that its process has had, all threads, user and system."""
        clock = (~self.process << 3) | 2  # what clock_getcpuclockid(3) makes of a process
        return time.clock_gettime(clock)


@contextmanager
def seuil(
    name: str, database_url: str, folder: Path, inbox: Inbox, checkout: Path
) -> Iterator[Server]:
    """One process of ours, as `idp run` starts it; somebody has signed in with both factors."""
    kek.create(folder / "kek.json")
    port = free_port()
    settings = make_settings(
        database_url, folder, smtp_port=inbox.smtp_port, issuer=f"http://localhost:{port}"
    )
    app = create_app(settings.model_copy(update={"log_level": "WARNING"}))
    with app.app_context():
        client = _prepare()
        command = [sys.executable, "-P", "-c", _START, "run", "--port", str(port)]
        variables = environment(
            {name: getattr(settings, name) for name in settings.model_fields_set}
        )
        with _running(command, port, {**variables, "PYTHONPATH": str(checkout)}) as master:
            party = _signed_in(app, inbox, client, settings)
            yield Server(name, _only_child(master), Load(settings.issuer, party, _PATHS))


@contextmanager
def peer(name: str) -> Iterator[Server]:
    """One process of oidc-provider; the first request signs somebody in."""
    port, secret = free_port(), secrets.token_urlsafe(32)
    told = {
        "PORT": str(port),
        "SECRET": secret,
        "REDIRECT_URI": REDIRECT_URI,
        "NODE_ENV": "production",
    }
    command = [str(_PEER / "node_modules" / ".bin" / "node"), str(_PEER / "server.mjs")]
    with _running(command, port, {**os.environ, **told}) as process:
        paths = {"authorize": "/auth", "token": "/token", "userinfo": "/me"}
        load = Load(f"http://localhost:{port}", Party("bench", secret, {}), paths)
        load.authorize("")
        yield Server(name, process, load)


def _prepare() -> portal.TestClientApp:
    database.prepare()
    make_account()
    return portal.register(replace(portal.PORTAL, redirect_uris=(REDIRECT_URI,)))


def _signed_in(app: Flask, inbox: Inbox, client: portal.TestClientApp, settings: Settings) -> Party:
    person = Person(app, inbox, client, settings.issuer)
    browser = RemoteBrowser()
    person.browser = browser  # type: ignore[assignment] - the same methods
    person.authorize(scope=SCOPE).two_factors(ADDRESS)
    return Party(client.client_id, client.secret, dict(browser.cookies))


@contextmanager
def _running(command: list[str], port: int, variables: dict[str, str]) -> Iterator[int]:
    with on_core(SERVER_CORE):
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command, env=variables, stderr=subprocess.DEVNULL, start_new_session=True
        )
    try:
        wait_for(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def _only_child(master: int) -> int:
    (child,) = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return int(child)
