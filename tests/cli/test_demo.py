"""`idp demo`, and `idp` where the demonstration's extra is not installed, as in production."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.ports import free_port, wait_for

ROOT = Path(__file__).parents[2]
START = "import sys; sys.argv[0] = 'idp'; from idp.cli.main import main; main()"
WITHOUT_EXTRA = START.replace("from", "sys.modules['aiosmtpd'] = None; from", 1)


def idp(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a process that cannot import the demo's SMTP server."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRA, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_other_command_works(tmp_path: Path) -> None:
    done = idp(tmp_path, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert "seuil" in done.stdout


def test_the_demo_is_one_clear_line(tmp_path: Path) -> None:
    done = idp(tmp_path, "demo")
    needs = "Error: the demonstration needs its extra: pip install 'seuil[demo]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", needs)
    assert list(tmp_path.iterdir()) == []


def test_signals_that_come_while_it_stops_change_nothing(tmp_path: Path) -> None:
    ports = {
        name: free_port()
        for name in ("port", "portal-port", "archive-port", "inbox-port", "smtp-port")
    }
    flags = [flag for name, port in ports.items() for flag in (f"--{name}", str(port))]
    process = subprocess.Popen(
        [sys.executable, "-c", START, "demo", *flags],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(ports["portal-port"])
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            process.send_signal(number)
        assert process.communicate(timeout=30) == (None, "Stopping.\n")
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
