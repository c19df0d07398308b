"""`idp run` and `idp worker`: what serves until it is stopped."""

import signal
import socket
from typing import Any

import rich_click as click
import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from config import Settings
from idp.app import create_app
from idp.cli.common import demand_database, inside, load_settings, whole_app
from idp.errors import ConfigurationError
from idp.worker import Worker

PORT = click.IntRange(1, 65535)
_log = structlog.get_logger("seuil.worker")


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
@click.option("--port", type=PORT, default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True)
def run(host: str, port: int, workers: int, threads: int) -> None:
    """Serve, behind a proxy that does TLS."""
    with inside(whole_app(load_settings())):
        demand_database()
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
    options = load_settings()
    app = whole_app(options)
    with inside(app):
        demand_database()
    stops = {signal.SIGINT, signal.SIGTERM}
    # Waited for, not handled: a handler that touches the worker's lock could wait for itself.
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    _log.info("worker_started")
    if options.worker == "inline":
        _log.warning("worker_beside_inline", advice="set IDP_WORKER=external for every process")
    running = Worker(app)
    running.start()
    signal.sigwait(stops)
    running.stop()
