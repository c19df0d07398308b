"""A real PostgreSQL cluster of our own, thrown away at the end."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

from tests.support.ports import free_port


def binaries() -> Path | None:
    """Folder of the newest installed server, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class Cluster:
    """One server on a free loopback port; `url(name)` makes a fresh database."""

    def __init__(self) -> None:
        folder = binaries()
        if folder is None:
            raise RuntimeError("PostgreSQL is not installed (apt-get install postgresql)")
        self._bin = folder
        self._home = Path(tempfile.mkdtemp(prefix="seuil-pg-"))
        self.port = free_port()
        if os.geteuid() == 0:
            shutil.chown(self._home, "postgres", "postgres")
        self._run(
            "initdb", "-D", str(self._home / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8"
        )
        options = (
            f"-p {self.port} -k {self._home} -c listen_addresses=127.0.0.1 -c fsync=off "
            "-c synchronous_commit=off -c full_page_writes=off -c max_connections=200"
        )
        self._run(
            "pg_ctl",
            "-D",
            str(self._home / "data"),
            "-w",
            "-l",
            str(self._home / "log"),
            "-o",
            options,
            "start",
        )

    def url(self, name: str) -> str:
        """SQLAlchemy URL of a new, empty database."""
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """End the server and remove its files."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-D", str(self._home / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._home, ignore_errors=True)

    def _dsn(self, name: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname={name}"

    def _run(self, program: str, *arguments: str) -> None:
        """As the `postgres` user when root, because the server refuses to run as root."""
        command = [str(self._bin / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)
