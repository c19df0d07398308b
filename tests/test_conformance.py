"""docs/conformance.md names nothing that does not exist, and leaves no module or test of the protocol out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "conformance.md").read_text()
NAMED = set(re.findall(r"`((?:idp|tests)/\S+\.py)`", PAGE))
HELD_BY = sorted(set(re.findall(r"`((?:t|tests/unit/\w+)/\w+\.py::test_\w+)`", PAGE)))
HELPERS = {"__init__", "conftest", "routes", "server", "endpoint", "stored", "client_jwt"}
"""What a specification is built with, and what is measured of no rule."""
NO_RULE = {"test_answered", "test_statements"}


@pytest.mark.parametrize("name", sorted(NAMED))
def test_what_it_names_exists(name: str) -> None:
    assert (ROOT / name).is_file()


@pytest.mark.parametrize("name", HELD_BY)
def test_what_holds_a_module_of_the_certification_exists(name: str) -> None:
    path, _, test = name.partition("::")
    file = ROOT / re.sub("^t/", "tests/oidc/", path)
    assert f"\ndef {test}(" in file.read_text()


def test_every_module_and_test_of_the_protocol_is_named() -> None:
    modules = {path.name for path in (ROOT / "idp" / "oidc").glob("*.py")}
    modules -= {f"{name}.py" for name in HELPERS}
    assert modules <= {name.rpartition("/")[2] for name in NAMED}
    tests = {path.stem for path in (ROOT / "tests" / "oidc").glob("test_*.py")} - NO_RULE
    assert tests <= {Path(name).stem for name in NAMED}
