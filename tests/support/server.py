"""The provider as real processes: gunicorn's, on the database of the tests."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from pydantic import SecretStr

from config import Settings
from tests.support.ports import free_port, wait_for

_START = "import sys; sys.argv[0] = 'idp'; from idp.cli.main import main; main()"
_ROOT = Path(__file__).parents[2]


@contextmanager
def serving(
    settings: Settings, *, workers: int = 2, threads: int = 8, **changes: Any
) -> Iterator[str]:
    """Run `idp run` with these settings; the base URL of several processes."""
    port = free_port()
    url = f"http://localhost:{port}"
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    variables = environment(values | changes | {"issuer": url})
    size = ["--workers", str(workers), "--threads", str(threads)]
    command = [sys.executable, "-c", _START, "run", "--port", str(port), *size]
    # A pipe that nobody reads would be full after some hundred lines, and every process would wait.
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=variables, stderr=log, start_new_session=True)
        try:
            wait_for(port)
            _wait_healthy(url)
            yield url
        finally:
            # The whole of it, without the second that it would give those who are being served.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


@contextmanager
def working(settings: Settings, **changes: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run `idp worker` with these settings."""
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    command = [sys.executable, "-c", _START, "worker"]
    process = subprocess.Popen(command, env=environment(values | changes))
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=20)


def environment(values: dict[str, Any]) -> dict[str, str]:
    """The shell's variables, but for options of ours, and these options."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    ours = {f"IDP_{name.upper()}": _text(value) for name, value in values.items()}
    return {**plain, **ours, "PYTHONPATH": str(_ROOT)}


def _text(value: Any) -> str:
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _wait_healthy(url: str) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if requests.get(f"{url}/healthz", timeout=10).ok:
            return
        time.sleep(0.05)
    raise TimeoutError(f"{url} is not well")
