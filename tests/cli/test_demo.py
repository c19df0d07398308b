"""`idp` where the demonstration's extra is not installed, as in production."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
START = (
    "import sys; sys.argv[0] = 'idp'; sys.modules['aiosmtpd'] = None; "
    "from idp.cli.main import main; main()"
)


def idp(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a process that cannot import the demo's SMTP server."""
    return subprocess.run(
        [sys.executable, "-c", START, *arguments],
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
