"""`idp run`, `idp worker` and `idp demo`: what serves until it is stopped."""

import signal
from pathlib import Path
from typing import Any

import rich_click as click
from flask import Flask
from gunicorn.app.base import BaseApplication

from config import Settings
from idp.app import create_app
from idp.cli.common import load_settings
from idp.demo import launch
from idp.worker import Worker

_PORT = click.IntRange(1, 65535)


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with threads; the application is made in each process, after the fork."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return create_app(Settings())


def _stop_worker(_arbiter: object, process: Any) -> None:
    """Let a process's inline worker finish its message before the process ends."""
    inline = process.app.callable and process.app.callable.extensions.get("seuil.worker")
    if inline:
        inline.stop()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=_PORT, default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True)
def run(host: str, port: int, workers: int, threads: int) -> None:
    """Serve, behind a proxy that does TLS."""
    create_app(load_settings())
    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "threads": threads,
        "worker_class": "gthread",
        "worker_exit": _stop_worker,
        "accesslog": None,
        "control_socket_disable": True,
    }
    _Server(options).run()


@click.command()
def worker() -> None:
    """Deliver messages and tidy up, until stopped. Run as many as you like."""
    running = Worker(create_app(load_settings()))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: running.stop())
    running.run()


@click.command()
@click.option("--port", type=_PORT, default=8000, show_default=True, help="The provider.")
@click.option("--portal-port", type=_PORT, default=8001, show_default=True)
@click.option("--inbox-port", type=_PORT, default=8025, show_default=True)
@click.option("--smtp-port", type=_PORT, default=8026, show_default=True)
@click.option(
    "--state", type=click.Path(path_type=Path), default=Path("demo-state"), show_default=True
)
@click.option("--reset", is_flag=True, help="Forget everything first.")
def demo(**options: Any) -> None:
    """The provider with a portal, its old users and an inbox, on this machine only."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    launch.run(launch.Options(**options))
