"""Every test, on both engines, and branch coverage: what `make test` runs.

Long work shows progress: each part prints its own pytest run. Coverage is measured where it says most, because
it costs half as much again as the tests do: not of attacks, browsers, bulk and PostgreSQL, which walk the same
code again.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

_HERE = Path(__file__).parent.parent
_PYTEST = [sys.executable, "-m", "pytest", "-q", "--durations=5"]
# In the order of collection, unit tests last: who comes to a long file at the end keeps the other one waiting.
_PARALLEL = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
_COVERAGE = ["--cov=idp", "--cov-branch", "--cov-report="]
_WALKED_AGAIN = [
    *("tests/browser", "tests/security"),
    # Much of everything, to see what it costs.
    *("tests/cli/test_legacy_import.py", "tests/unit/audit/test_memory.py"),
    "tests/unit/migration/test_statistics.py",
]
_MEASURED = ["tests", *(f"--ignore={place}" for place in _WALKED_AGAIN)]
_DATABASE = [
    "tests/security",
    "tests/journeys",
    "tests/oidc",
    "tests/unit",
    "tests/test_migrations.py",
    "tests/test_privacy.py",
]

_TIMED = ("tests/security/test_alike.py", "tests/security/test_recovery_alike.py")
"""How long answers take is measured once: a floor that is ours hides what an engine takes."""

_SQLITE_ONLY = ("tests/unit/demo",)
"""The demonstration brings its own database."""

PARTS = (
    ("attacks, browsers and bulk, on SQLite", [*_PARALLEL, *_WALKED_AGAIN]),
    ("everything else, on SQLite", [*_PARALLEL, *_COVERAGE, *_MEASURED]),
    (
        "all that touches the database, on PostgreSQL",
        [
            *(*_PARALLEL, "--engine", "postgresql", *_DATABASE),
            *(f"--ignore={place}" for place in (*_TIMED, *_SQLITE_ONLY)),
        ],
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
