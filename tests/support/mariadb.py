"""A real MariaDB of our own, thrown away at the end."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pymysql

from tests.support.ports import free_port, wait_for

PROGRAM = Path("/usr/sbin/mariadbd")


class MariaDb:
    """One server on a free loopback port; `url(name)` makes a fresh database."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="seuil-maria-"))
        self._user = "mysql" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(self._home, "mysql", "mysql")
        self.port = free_port()
        data = ["--no-defaults", f"--datadir={self._home}/data", f"--user={self._user}"]
        install = [
            *("mariadb-install-db", *data),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
        ]
        installed = subprocess.run(install, check=False, capture_output=True, text=True)
        if installed.returncode:
            raise RuntimeError(installed.stdout + installed.stderr)
        self._process = subprocess.Popen(
            [
                *(str(PROGRAM), *data, f"--port={self.port}", "--bind-address=127.0.0.1"),
                *(f"--socket={self._home}/socket", f"--pid-file={self._home}/pid"),
                *("--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self.port)

    def url(self, name: str) -> str:
        """SQLAlchemy URL of a new, empty database."""
        connection = pymysql.connect(host="127.0.0.1", port=self.port, user="root", autocommit=True)
        with connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
            cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        return f"mariadb+pymysql://root@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """End the server and remove its files."""
        self._process.terminate()
        self._process.wait(20)
        shutil.rmtree(self._home, ignore_errors=True)
