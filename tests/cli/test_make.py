"""`make`: the two commands of a newcomer, and what they say when they cannot go on."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Plain `make` in the checkout."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True, check=False)


def test_help_lists_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    listed = re.findall(r"^make ([\w-]+) ", make("help").stdout, re.MULTILINE)
    assert sorted(listed) == sorted(set(phony[1].split()) - {"help"})


def test_an_environment_that_cannot_be_written_is_said() -> None:
    done = make("demo", "VENV=/proc/none", f"PYTHON={sys.executable}")
    assert done.returncode != 0
    assert "/proc/none cannot be written" in done.stdout
    assert "python3-venv" not in done.stdout


def test_a_python_that_cannot_make_environments_is_said(tmp_path: Path) -> None:
    """Debian's python3 without python3-venv has no ensurepip."""
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    python = f"PYTHON=PYTHONPATH={tmp_path} {sys.executable}"
    done = make("demo", f"VENV={tmp_path}/venv", python)
    assert done.returncode != 0
    assert done.stdout == "Install python3-venv first: apt-get install python3-venv\n"
