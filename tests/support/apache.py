"""A real Apache of our own with mod_auth_openidc, thrown away at the end."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.ports import free_port, wait_for

PROGRAM = Path("/usr/sbin/apache2")
_MODULES = Path("/usr/lib/apache2/modules")
_NEEDED = (
    *("mpm_event", "authn_core", "authz_core", "authz_user", "mime", "dir", "include"),
    "auth_openidc",
)

_CONFIGURATION = """
ServerRoot {home}
PidFile {home}/pid
DefaultRuntimeDir {home}
ErrorLog {home}/log
ServerName {url}
Listen {port}
{modules}
User www-data
Group www-data
TypesConfig /dev/null
StartServers 1
MaxRequestWorkers 64
ThreadsPerChild 8
DocumentRoot {home}/site
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
DirectoryIndex index.shtml
<Directory {home}/site>
  Options +Includes
</Directory>
{recipe}
<Location /open.html>
  AuthType none
  Require all granted
</Location>
"""
# What an application behind it would read from its environment.
_PAGE = """<!--#echo var="REMOTE_USER" -->
<!--#echo var="OIDC_CLAIM_given_name" -->
<!--#echo var="OIDC_CLAIM_acr" -->
"""


def installed() -> bool:
    """Whether both are there."""
    return PROGRAM.exists() and (_MODULES / "mod_auth_openidc.so").exists()


class Apache:
    """One server on a free loopback port with a page for those who signed in, and /open.html for everybody."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="seuil-apache-"))
        self.home.chmod(0o755)
        site = self.home / "site"
        site.mkdir()
        (site / "index.shtml").write_text(_PAGE)
        (site / "open.html").write_text("Bye")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, recipe: str) -> None:
        """Run with these directives."""
        path = self.home / "apache2.conf"
        modules = [f"LoadModule {name}_module {_MODULES}/mod_{name}.so" for name in _NEEDED]
        filled = _CONFIGURATION.format(
            home=self.home,
            url=self.url,
            port=f"127.0.0.1:{self.port}",
            modules="\n".join(modules),
            recipe=recipe,
        )
        path.write_text(filled)
        self._process = subprocess.Popen(
            [str(PROGRAM), "-f", str(path), "-DFOREGROUND"],
            env={**os.environ, "LANG": "C"},
        )
        wait_for(self.port)

    def stop(self) -> None:
        """End it and remove its files."""
        if self._process:
            self._process.terminate()
            self._process.wait(20)
        shutil.rmtree(self.home, ignore_errors=True)
