"""Every test, on both engines, with branch coverage: what `make test` runs.

Long work shows progress: each part prints its own pytest run; the parts' coverage is added up at the end.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

_HERE = Path(__file__).parent.parent
_PYTEST = [sys.executable, "-m", "pytest", "-q", "--durations=5"]
_PARALLEL = ["-n", "2", "--dist", "loadfile"]
_COVERAGE = ["--cov=idp", "--cov-branch", "--cov-report=", "--cov-append"]
_DATABASE = [
    "tests/unit",
    "tests/oidc",
    "tests/journeys",
    "tests/security",
    "tests/test_migrations.py",
    "tests/test_privacy.py",
]

PARTS = (
    ("everything, on SQLite", [*_PARALLEL, *_COVERAGE, "--engine", "sqlite"]),
    (
        "all that touches the database, on PostgreSQL",
        [*_PARALLEL, *_COVERAGE, "--engine", "postgresql", *_DATABASE],
    ),
)


def main() -> int:
    """Run the parts; 0 when all passed and enough of the code was walked."""
    os.chdir(_HERE)
    for old in _HERE.glob(".coverage*"):
        old.unlink()
    failed = [name for name, arguments in PARTS if not _passes(name, arguments)]
    covered = subprocess.run([sys.executable, "-m", "coverage", "report"], check=False).returncode
    for name in failed:
        print(f"FAILED: {name}")
    return 1 if failed or covered else 0


def _passes(name: str, arguments: list[str]) -> bool:
    print(f"== {name}", flush=True)
    began = time.monotonic()
    code = subprocess.run([*_PYTEST, *arguments], check=False).returncode
    print(f"== {name}: {time.monotonic() - began:.0f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main())
