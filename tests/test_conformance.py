"""docs/conformance.md names nothing that does not exist, and leaves no module or test of the protocol out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "conformance.md").read_text()
NAMED = set(re.findall(r"`((?:idp|tests)/\S+\.py)`", PAGE))
HELPERS = {"__init__", "conftest", "routes", "server", "endpoint", "stored", "client_jwt"}
"""What a specification is built with, and what is measured of no rule."""
NO_RULE = {"test_answered", "test_statements"}


@pytest.mark.parametrize("name", sorted(NAMED))
def test_what_it_names_exists(name: str) -> None:
    assert (ROOT / name).is_file()


def test_every_module_and_test_of_the_protocol_is_named() -> None:
    modules = {path.name for path in (ROOT / "idp" / "oidc").glob("*.py")}
    modules -= {f"{name}.py" for name in HELPERS}
    assert modules <= {name.rpartition("/")[2] for name in NAMED}
    tests = {path.stem for path in (ROOT / "tests" / "oidc").glob("test_*.py")} - NO_RULE
    assert tests <= {Path(name).stem for name in NAMED}
