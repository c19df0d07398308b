"""What the source may not contain, and where it may contain cryptography (ASVS 5.0 V1, V11)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "idp").rglob("*.py"), ROOT / "config.py", ROOT / "wsgi.py"])
PAGE = (ROOT / "docs" / "self-check.md").read_text()
CRYPTOGRAPHY = {
    *("argon2", "bcrypt", "cryptography", "hashlib", "hmac", "joserfc", "jwcrypto", "passlib"),
    *("pyotp", "secrets", "ssl"),
}
STARTS_PROCESSES = {"subprocess", "pty", "multiprocessing", "shlex"}
READS_OBJECTS = {"pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle"}
READS_XML = {"xml", "lxml", "xmltodict", "defusedxml"}
FETCHES = {"requests", "urllib.request", "http.client", "httpx", "aiohttp"}


def modules(path: Path) -> Iterator[str]:
    """Every module that a file imports, and its parents."""
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def importers(names: set[str]) -> set[str]:
    """Files, but for the demonstration's, that import one of these."""
    found = {str(path.relative_to(ROOT)) for path in FILES if names & set(modules(path))}
    return {name for name in found if not name.startswith("idp/demo/")}


def called(name: str) -> set[str]:
    """Files in which something of this name is called."""
    return {
        str(path.relative_to(ROOT))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name
    }


@pytest.mark.parametrize("names", [STARTS_PROCESSES, READS_OBJECTS, READS_XML, {"random"}])
def test_nothing_dangerous_is_imported(names):
    assert importers(names) == set()


@pytest.mark.parametrize(
    "name", ["eval", "exec", "compile", "__import__", "os.system", "os.popen", "Markup"]
)
def test_nothing_dangerous_is_called(name):
    assert called(name) == set()


def test_templates_never_switch_escaping_off():
    for path in (ROOT / "templates").rglob("*"):
        if path.is_file() and path.suffix in {".html", ".txt", ".sms"}:
            assert not re.search(r"\|\s*safe\b|autoescape", path.read_text()), path


def test_no_answer_lets_scripts_of_other_sites_read_it():
    """RFC 9700, 2.6: no CORS at the authorization endpoint. Where there is some is in one module."""
    found = [path for path in FILES if "access-control-" in path.read_text().casefold()]
    assert found == [ROOT / "idp" / "oidc" / "cors.py"]


def test_only_what_an_administrator_named_is_fetched():
    assert importers(FETCHES) == {
        *("idp/delivery/http_gateway.py", "idp/delivery/sms_http.py"),
        *("idp/legacy/http.py", "idp/security/outgoing.py"),
    }


def test_all_cryptography_is_in_the_inventory():
    inventory = PAGE.partition("## Cryptographic inventory")[2]
    assert importers(CRYPTOGRAPHY) == set(re.findall(r"`(idp/\S+\.py)`", inventory))
