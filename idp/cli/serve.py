"""`idp run`, `idp worker` and `idp demo`: what serves until it is stopped."""

import signal
import socket
from pathlib import Path
from typing import Any

import rich_click as click
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from config import Settings
from idp.app import create_app
from idp.cli.common import load_settings, whole_app
from idp.demo import launch
from idp.errors import ConfigurationError
from idp.worker import InlineWorker

_PORT = click.IntRange(1, 65535)


class _JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's own messages as JSON lines, like all others."""

    def setup(self, cfg: object) -> None:
        """Leave the writing to the handler of `idp.logs`."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with threads; the application is made in each process, after the fork."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Our options, and no file or variable of gunicorn's."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application of one process."""
        return create_app(Settings())


def _stop_worker(_arbiter: object, process: Any) -> None:
    """Let a process's inline worker finish its message before the process ends."""
    served = process.app.callable
    inline = served.extensions.get("seuil.worker") if served else None
    if inline:
        inline.stop()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True)
def run(host: str, port: int, workers: int, threads: int) -> None:
    """Serve, behind a proxy that does TLS."""
    whole_app(load_settings())
    _check_free(host, port)
    options = {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": workers,
        "threads": threads,
        "worker_class": "gthread",
        "worker_exit": _stop_worker,
        "accesslog": None,
        "logger_class": _JsonLogger,
        "control_socket_disable": True,
    }
    _Server(options).run()


def _check_free(host: str, port: int) -> None:
    """Say at once what gunicorn would try five times."""
    try:
        socket.create_server((host, port), family=_family(host)).close()
    except OSError as error:
        message = f"cannot listen on {host} port {port}: {error.strerror or error}"
        raise ConfigurationError(message) from None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@click.command()
def worker() -> None:
    """Deliver messages and tidy up, until stopped. Run as many as you like."""
    app = whole_app(load_settings())
    stops = {signal.SIGINT, signal.SIGTERM}
    # Waited for, not handled: a handler that touches the worker's lock could wait for itself.
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    running = InlineWorker(app)
    signal.sigwait(stops)
    running.stop()


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
    # SIGINT too: a shell leaves it ignored in what it starts in the background.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    launch.run(launch.Options(**options))
