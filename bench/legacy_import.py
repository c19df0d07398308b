"""How fast rows of an old system are loaded, and in how much memory: a real `idp legacy import`.

python -m bench.legacy_import [rows]
"""

import csv
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

COLUMNS = (
    *("id", "login", "hash", "mail", "mobile", "first", "last", "born", "street", "zip", "town"),
    *("locked", "group"),
)
SOURCE = """
[[source]]
name = "portail"
type = "imported"
[source.columns]
key = "id"
identifier = "login"
password_hash = "hash"
email = "mail"
phone = "mobile"
given_name = "first"
family_name = "last"
birthdate = "born"
street_address = "street"
postal_code = "zip"
locality = "town"
group = "group"
"""

_RUN = """
import atexit, re, sys
from pathlib import Path
from idp.cli.main import main
peak = Path(sys.argv.pop(1))
status = Path("/proc/self/status")
atexit.register(lambda: peak.write_text(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]))
main()
"""
"""`idp`, which leaves the most memory that it held, in KiB: the kernel's count for children has their parent's
in it."""


@dataclass(frozen=True)
class Measured:
    """One run of the command, from its start to its end."""

    rows: int
    seconds: float
    mebibytes: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def write_people(path: Path, rows: int) -> None:
    """A file as an old portal would export it: bcrypt hashes, Swiss people."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(1, rows + 1):
            salted = hashlib.sha256(str(number).encode()).hexdigest()
            digest = "$2b$10$" + salted[:53]
            person = (
                f"{number}",
                f"U{number:07}",
                digest,
                f"p{number}@example.ch",
                "079 555 01 02",
            )
            home = ("Élodie", f"Chappuis-{number}", "1950-03-14", "Grand-Rue 17", "1260", "Nyon")
            writer.writerow((*person, *home, number % 97 == 0, f"commune-{number % 40}"))


def run(home: Path, database_url: str, *arguments: str) -> Measured:
    """`idp …` in a process of its own."""
    environment = {**os.environ, "IDP_DATABASE_URL": database_url, "IDP_LOG_LEVEL": "WARNING"}
    environment["IDP_KEK_FILE"] = str(home / "kek.json")
    environment["IDP_LEGACY_SOURCES"] = str(home / "sources.toml")
    peak = home / "peak"
    started = time.monotonic()
    command = [sys.executable, "-c", _RUN, str(peak), *arguments]
    subprocess.run(command, env=environment, cwd=home, check=True)  # noqa: S603 - our own command
    return Measured(0, time.monotonic() - started, int(peak.read_text()) / 1024)


def measure(home: Path, database_url: str, rows: int) -> list[Measured]:
    """The first load, and the same file again."""
    (home / "sources.toml").write_text(SOURCE)
    write_people(home / "people.csv", rows)
    run(home, database_url, "db", "upgrade")
    load = ("legacy", "import", "portail", str(home / "people.csv"))
    measured = [run(home, database_url, *load) for _time in range(2)]
    return [Measured(rows, one.seconds, one.mebibytes) for one in measured]


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        url = os.environ.get("IDP_DATABASE_URL", f"sqlite:///{folder}/seuil.db")
        for what, one in zip(("first", "again"), measure(Path(folder), url, wanted), strict=True):
            print(
                f"{what}: {one.rate:.0f} rows/s, {one.seconds:.0f} s, {one.mebibytes:.0f} MiB at most"
            )
