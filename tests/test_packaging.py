"""What a wheel brings: everything, and the journey runs from it alone."""

import ast
import configparser
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from idp import resources
from tests.support.ports import free_port, wait_for
from tests.support.surfer import Surfer

ROOT = Path(__file__).parent.parent
SOURCES = ("idp", "migrations", "templates", "config.py", "wsgi.py", "setup.cfg", "pyproject.toml")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left behind in the tree."""
    copy = tmp_path_factory.mktemp("tree")
    for name in (*SOURCES, "README.md"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "-w", str(copy / "dist"), str(copy)]
    subprocess.run([*pip, *build], check=True, capture_output=True)
    return next((copy / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty venv with the wheel in it, dependencies borrowed from this environment."""
    target = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    into = ["--python", str(target), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip, *into], check=True, capture_output=True)
    # An editable install is only reached through a .pth file, which a plain path entry does not run.
    site = next((target / "lib").glob("python*")) / "site-packages"
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return target


def idp(installed: Path, *arguments: str) -> list[str]:
    """The command that the wheel installs."""
    return [str(installed / "bin" / "idp"), *arguments]


def environment(folder: Path, **options: str) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("IDP_", "PYTHONPATH", "COV"))}
    return plain | {
        "IDP_KEK_FILE": str(folder / "kek.json"),
        "IDP_DATABASE_URL": f"sqlite:///{folder}/seuil.db",
        **options,
    }


def test_a_wheel_brings_every_kind_of_file(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for expected in (
        *("config.py", "wsgi.py", "idp/py.typed", "idp/static/seuil.css", "idp/static/seuil.js"),
        *("idp/templates/sign-in.html", "idp/templates/messages/fr/second-factor.sms"),
        *("idp/templates/messages/en/address-taken.html", "idp/demo/templates/portal.html"),
        *("idp/migrations/env.py", "idp/migrations/alembic.ini", "idp/migrations/script.py.mako"),
        *("idp/migrations/versions/0001_first_schema.py", "idp/delivery/gateways/swisscom.toml"),
        *("idp/accounts/common_passwords/fr.txt", "idp/accounts/common_passwords/keyboards.txt"),
    ):
        assert expected in names
    assert not [name for name in names if name.startswith(("tests/", "keys/"))]


def test_commands_run_from_the_wheel(installed, tmp_path):
    def run(*arguments: str) -> str:
        command = idp(installed, *arguments)
        result = subprocess.run(
            command,
            env=environment(tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    where = [str(installed / "bin" / "python"), "-P", "-c", "import idp; print(idp.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).is_relative_to(installed)
    assert "0.1.0" in run("--version")
    run("db", "upgrade")
    run("keys", "create")
    assert {key["state"] for key in json.loads(run("keys", "list", "--json"))} == {"signing"}


@pytest.fixture
def demo(installed: Path, tmp_path: Path) -> Iterator[dict]:
    ports = {
        name: free_port()
        for name in ("port", "portal-port", "archive-port", "inbox-port", "smtp-port")
    }
    flags = [flag for name, port in ports.items() for flag in (f"--{name}", str(port))]
    command = idp(installed, "demo", *flags)
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.DEVNULL
    )
    try:
        wait_for(ports["portal-port"])
        summary = tmp_path / "demo-state" / "demo.json"
        end = time.monotonic() + 20
        while not summary.exists() and time.monotonic() < end:
            time.sleep(0.05)
        yield json.loads(summary.read_text())
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_the_whole_journey_runs_from_the_wheel(demo):
    someone = next(user for user in demo["legacy_users"] if not user["locked"])
    person = Surfer(demo["inbox"]).get(f"{demo['portal']}/login")
    assert person.step == "sign-in"
    person.migrate(someone["identifier"], someone["password"], "moi@example.ch")
    assert person.step == "done"
    person.press("Se connecter à e-services").two_factors("moi@example.ch")
    assert person.url == f"{demo['portal']}/"
    assert f"Bonjour {someone['first_name']} {someone['last_name']}" in person.page.text


def imported(path: Path) -> set[str]:
    """Top-level names that a module imports, but for Python's and our own."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"idp", "config"}


def declared() -> set[str]:
    """Distributions that setup.cfg says every installation has, by their normalised names."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    lines = parser["options"]["install_requires"].split()
    return {normalised(re.split(r"[<>=!~\[]", line)[0]) for line in lines}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_import_of_a_deployment_is_declared():
    """What only comes with something else today may be gone tomorrow; what an extra has is not there."""
    sources = {*(ROOT / "idp").rglob("*.py")} - {*(ROOT / "idp" / "demo").rglob("*.py")}
    # Imported by name, when a route or a source asks for them, with a word about the extra where it is missing.
    sources -= {*(ROOT / "idp" / "delivery").glob("*smpp*.py"), *ROOT.glob("idp/*/sms_apprise.py")}
    sources -= {ROOT / "idp" / "legacy" / "directory.py"}
    sources |= {ROOT / "config.py", ROOT / "wsgi.py", *(ROOT / "migrations").rglob("*.py")}
    brings = metadata.packages_distributions()
    names = {name for source in sources for name in imported(source)}
    assert len(names) > 20
    assert {n for n in names if not {normalised(d) for d in brings[n]} & declared()} == set()


def locked(name: str) -> set[str]:
    """`name==version` lines of a lock."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", text, re.MULTILINE))


def test_the_lock_of_a_deployment_is_a_part_of_what_was_tested():
    run = locked("run")
    names = {normalised(name) for name, _version in run}
    assert run <= locked("demo") <= locked("test")
    assert declared() | {"psycopg"} <= names
    assert not {"aiosmtpd", "pytest"} & names


@pytest.mark.parametrize("name", ["run", "demo", "test"])
def test_locks_have_hashes_and_name_no_host(name):
    lock = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert lock.count("==") <= lock.count("--hash=sha256:")
    assert "://" not in lock


def test_a_checkout_finds_what_stands_beside_the_package():
    assert (resources.folder("templates") / "sign-in.html").exists()
    assert (resources.folder("migrations") / "env.py").exists()
