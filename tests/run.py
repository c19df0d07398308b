"""Every test, on both engines: what `make test` runs. Each part shows its own progress."""

import os
import subprocess
import sys
import time
from pathlib import Path

_HERE = Path(__file__).parent.parent
_PYTEST = [sys.executable, "-m", "pytest", "-q", "--durations=5"]
# In the order of collection: who comes to a long file at the end keeps the others waiting.
_PARALLEL = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
_LONGEST_FIRST = [
    *("tests/browser", "tests/security", "tests/cli", "tests/relying_parties"),
    *("tests/journeys", "tests/oidc"),
]
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


def main() -> int:
    """Run the parts; 0 when all passed."""
    os.chdir(_HERE)
    alone = sorted(str(file) for file in Path("tests").glob("test_*.py"))
    left_out = [f"--ignore={place}" for place in (*_TIMED, *_SQLITE_ONLY)]
    parts = {
        "everything, on SQLite": [*_LONGEST_FIRST, "tests/unit", *alone],
        "all that touches the database, on PostgreSQL": [
            *("--engine", "postgresql"),
            *(*_DATABASE, *left_out),
        ],
    }
    failed = [name for name, arguments in parts.items() if not _passes(name, arguments)]
    for name in failed:
        print(f"FAILED: {name}")
    return 1 if failed else 0


def _passes(name: str, arguments: list[str]) -> bool:
    print(f"== {name}", flush=True)
    began = time.monotonic()
    code = subprocess.run([*_PYTEST, *_PARALLEL, *arguments], check=False).returncode
    print(f"== {name}: {time.monotonic() - began:.0f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main())
