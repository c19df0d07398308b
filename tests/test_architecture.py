"""What import-linter cannot say about the house (DESIGN 2 and 4)."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from idp.extensions import Base
from tests.support.schema import MODELS_LOADED

ROOT = Path(__file__).parent.parent
FILES = sorted([*(ROOT / "idp").rglob("*.py"), ROOT / "config.py", ROOT / "wsgi.py"])
ROOMS = sorted(path for path in (ROOT / "idp").glob("*/__init__.py"))
BELOW_WEB = (
    *("accounts", "challenges", "clients", "delivery", "flow", "grants", "keys", "legacy"),
    *("migration", "security", "sessions"),
)
REQUEST_NAMES = {"request", "session", "g", "after_this_request", "make_response", "redirect"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def names(node: ast.AST) -> set[str]:
    """Every name that stands in it."""
    return {found.id for found in ast.walk(node) if isinstance(found, ast.Name)}


def made(name: str) -> list[str]:
    """Where a class is called by this name, or rows of its table are inserted."""
    found = []
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                called = node.func
                last = (
                    called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                )
                inserted = last in {"insert", "upsert"} and name in {
                    one for argument in node.args for one in names(argument)
                }
                if last == name or inserted:
                    found.append(str(path.relative_to(ROOT)))
    return found


def tables_taken(name: str) -> set[str]:
    """Where the bare table of a class is taken, with which rows could be made as well."""
    return {
        str(path.relative_to(ROOT))
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and node.attr == "__table__"
        and name in names(node.value)
    }


@pytest.mark.parametrize(
    ("name", "only_place"),
    [
        ("Authentication", "idp/sessions/authentication.py"),
        ("BrowserSession", "idp/sessions/browser.py"),
        ("PasswordVerified", "idp/flow/second_factor.py"),
        ("CodeVerified", "idp/challenges/verify.py"),
        ("AuthorizationCode", "idp/grants/codes.py"),
        ("Token", "idp/grants/tokens.py"),
        ("ClientToken", "idp/grants/client_tokens.py"),
        ("Account", "idp/accounts/account.py"),
    ],
)
def test_proofs_and_what_follows_are_made_in_one_place_each(name, only_place):
    assert made(name) == [only_place]
    assert tables_taken(name) <= {only_place}


@pytest.mark.parametrize("table", ["browser_session", "authorization_code", "token"])
def test_the_database_refuses_what_descends_from_no_authentication(table):
    column = Base.metadata.tables[table].c.authentication_id
    assert MODELS_LOADED
    assert not column.nullable
    assert [key.target_fullname for key in column.foreign_keys] == ["authentication.id"]


def test_a_token_without_an_authentication_is_about_nobody():
    table = Base.metadata.tables["client_token"]
    assert {key.column.table.name for key in table.foreign_keys} == {"client"}


def test_an_authentication_needs_both_factors_and_one_code_serves_once():
    columns = Base.metadata.tables["authentication"].c
    assert not columns.password_verified_at.nullable
    assert not columns.challenge_id.nullable
    assert columns.challenge_id.unique


def test_import_linter_keeps_the_layers():
    command = [str(Path(sys.executable).parent / "lint-imports"), "setup.cfg"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.parent.name)
def test_every_room_says_what_it_owns_and_never_does(path):
    module = tree(path)
    text = ast.get_docstring(module) or ""
    assert "Owns" in text
    assert "Never" in text
    assert len(module.body) == 1, "a room's __init__ holds its docstring only"


def test_every_table_is_owned_by_the_room_that_says_so():
    assert MODELS_LOADED
    for mapper in Base.registry.mappers:
        room = ROOT / "idp" / mapper.class_.__module__.split(".")[1] / "__init__.py"
        assert f"`{mapper.local_table.name}`" in room.read_text(), mapper.class_


def length_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its signature on, without its decorators."""
    return (node.end_lineno or 0) - node.lineno + 1


def is_page_handler(path: Path, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    routed = any(text.startswith("blueprint.") for text in decorators)
    return routed and path.is_relative_to(ROOT / "idp" / "pages")


def test_page_handlers_are_told_from_other_functions():
    pages = ROOT / "idp" / "pages"
    found = [
        node.name
        for path in pages.glob("*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and is_page_handler(path, node)
    ]
    assert len(found) >= 20
    assert "show_code_page" not in found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_readable(path):
    # The one declaration of every option is a list: as long as there are options.
    assert len(path.read_text().splitlines()) <= (600 if path.name == "config.py" else 300)
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length, most = length_of(node), 25 if is_page_handler(path, node) else 30
            assert length <= most, f"{node.name} has {length} lines"
            assert not any(isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(node))


def flask_names(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "flask":
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("room", BELOW_WEB)
def test_no_room_below_web_knows_a_request(room):
    for path in (ROOT / "idp" / room).rglob("*.py"):
        assert not REQUEST_NAMES & set(flask_names(path)), path


def test_only_extensions_commits_and_only_a_few_read_the_environment():
    commits, environment = set(), set()
    for path in FILES:
        text = path.read_text()
        name = str(path.relative_to(ROOT))
        if ".commit()" in text:
            commits.add(name)
        if "os.environ" in text or "getenv" in text:
            environment.add(name)
    assert commits == {"idp/extensions.py"}
    assert environment <= {
        *("config.py", "idp/security/references.py"),
        *("idp/cli/checks.py", "idp/cli/common.py"),
    }
