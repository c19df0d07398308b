"""What an administrator copies from the documents works."""

import re
import subprocess
from pathlib import Path

import pytest

from config import Settings
from idp.legacy import registry

ROOT = Path(__file__).parents[2]
PAGES = (
    *("README.md", "SECURITY.md", "docs/operations.md", "docs/self-check.md", "docs/privacy.md"),
    "deploy/seuil.env",
)


@pytest.mark.parametrize("page", PAGES)
def test_every_option_that_is_named_exists(page: str) -> None:
    named = set(re.findall(r"\bIDP_([A-Z_]+)", (ROOT / page).read_text()))
    assert named <= {name.upper() for name in Settings.model_fields} | {"ENV_FILE"}


def variables() -> dict[str, str]:
    """The example's variables, as a shell reads them."""
    show = "set -a; . deploy/seuil.env; env"
    done = subprocess.run(
        ["sh", "-c", show], cwd=ROOT, env={}, capture_output=True, text=True, check=True
    )
    lines = [line.partition("=") for line in done.stdout.splitlines()]
    return {name: value for name, _, value in lines if name.startswith(("IDP_", "OLD_"))}


def test_the_example_is_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    written = variables()
    for name, value in written.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.secure
    assert settings.database_url == "postgresql+psycopg:///seuil?host=/run/postgresql"
    (source,) = registry.read(ROOT / "deploy" / "legacy.toml")
    assert source.options.name == "old-portal"
    source.close()


@pytest.mark.parametrize("unit", ["seuil.service", "seuil-worker.service"])
def test_units_and_the_page_agree_where_things_are(unit: str) -> None:
    text = (ROOT / "deploy" / unit).read_text()
    page = (ROOT / "docs" / "operations.md").read_text()
    for path in re.findall(r"=(/(?:etc|opt|var)/[\w/.]*)", text):
        assert str(Path(path).parent) in page


def test_the_proxys_file_has_new_tls_only_and_believes_no_forwarded_header() -> None:
    """ASVS 5.0, 12.1.1; RFC 9700, 4.13."""
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    assert re.findall(r"ssl_protocols (.*);", text) == ["TLSv1.2 TLSv1.3"]
    forwarded = dict(re.findall(r"proxy_set_header (X-Forwarded-\S+)\s+(\S+);", text))
    assert forwarded == {
        "X-Forwarded-For": "$remote_addr",
        "X-Forwarded-Proto": "$scheme",
        "X-Forwarded-Host": "$host",
    }


def test_the_wrapper_is_a_program_that_a_shell_understands() -> None:
    wrapper = ROOT / "deploy" / "idp"
    assert wrapper.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", str(wrapper)], check=True)


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "docs/operations.md"])
def test_links_lead_to_files(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text()):
        assert ((ROOT / page).parent / target).exists(), target
