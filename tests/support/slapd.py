"""A real OpenLDAP server of our own, thrown away at the end."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.ports import free_port, wait_for

PROGRAM = Path("/usr/sbin/slapd")
BASE = "dc=example,dc=org"
SERVICE, SERVICE_PASSWORD = f"cn=reader,{BASE}", "reader's password"

_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile {home}/slapd.pid
TLSCACertificateFile {home}/authority.pem
TLSCertificateFile {home}/127.0.0.1.pem
TLSCertificateKeyFile {home}/127.0.0.1.pem
TLSVerifyClient never
disallow bind_anon
database mdb
suffix "{base}"
directory {home}/data
rootdn "cn=admin,{base}"
rootpw admin
overlay ppolicy
ppolicy_default "cn=policy,{base}"
ppolicy_use_lockout
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,{base}" read by * none
"""


class Directory:
    """One server on free loopback ports, `url` with StartTLS and `secure_url` with TLS from the first byte."""

    def __init__(self, entries: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="seuil-ldap-"))
        (self.home / "data").mkdir()
        authority = Authority(self.home)
        authority.issue("127.0.0.1")
        self.ca_file = authority.file
        (self.home / "slapd.conf").write_text(_CONFIGURATION.format(home=self.home, base=BASE))
        (self.home / "entries.ldif").write_text(entries)
        options = ["-f", str(self.home / "slapd.conf")]
        subprocess.run(
            ["/usr/sbin/slapadd", *options, "-l", str(self.home / "entries.ldif")],
            check=True,
            capture_output=True,
        )
        ports = free_port(), free_port()
        self.url, self.secure_url = f"ldap://127.0.0.1:{ports[0]}", f"ldaps://127.0.0.1:{ports[1]}"
        listen = f"{self.url} {self.secure_url}"
        self._process = subprocess.Popen(
            [str(PROGRAM), *options, "-h", listen, "-d", "0"],
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PATH": "/usr/sbin:/usr/bin:/bin"},
        )
        for port in ports:
            wait_for(port)

    def pause(self) -> None:
        """Accept connections, and answer nothing."""
        self._process.send_signal(19)
        time.sleep(0.05)

    def go_on(self) -> None:
        self._process.send_signal(18)

    def stop(self) -> None:
        """End the server and remove its files."""
        self.go_on()
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self.home, ignore_errors=True)
