"""DESIGN 5: request text never goes into a log line unescaped; tokens never at all."""

import json
import logging

import pytest
import structlog
from sqlalchemy.exc import IntegrityError

from config import Settings
from idp import logs
from tests.support.accounts import make_account


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.fixture(autouse=True)
def levels() -> None:
    logs.init(Settings(log_level="DEBUG"))


def test_an_event_is_one_json_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("seuil.test").info("signed_in", milliseconds=3)
    (line,) = lines(capsys)
    assert line["event"] == "signed_in"
    assert line["milliseconds"] == 3
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


def test_hostile_text_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = 'x\n{"event": "forged"}\r\u2028\x1b[2J"'
    structlog.get_logger("seuil.test").warning("page_error", value=hostile)
    logging.getLogger("other").warning(hostile)
    first, second = lines(capsys)
    assert first["value"] == hostile
    assert second["event"] == hostile


def test_a_lone_surrogate_can_be_logged(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("seuil.test").warning("page_error", value="\ud800")
    assert lines(capsys)[0]["value"] == "\ud800"


def test_a_traceback_is_part_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        int("boom")
    except ValueError:
        structlog.get_logger("seuil.test").exception("bug")
    (line,) = lines(capsys)
    assert "ValueError: invalid literal" in str(line["exception"])


@pytest.mark.parametrize("name", ["authlib.oauth2", "urllib3.connectionpool", "sqlalchemy.engine"])
def test_libraries_that_write_secrets_are_silent_below_warning(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger(name).debug("token %s", "secret")
    logging.getLogger(name).info("token %s", "secret")
    assert lines(capsys) == []


@pytest.mark.parametrize("name", ["apprise", "urllib3.connection"])
def test_libraries_that_write_numbers_and_urls_are_silent_altogether(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger(name).error("could not notify %s", "+41791234567")
    assert lines(capsys) == []


def test_the_level_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    logs.init(Settings(log_level="ERROR"))
    structlog.get_logger("seuil.test").warning("hidden")
    structlog.get_logger("seuil.test").error("shown")
    assert [line["event"] for line in lines(capsys)] == ["shown"]


def test_setting_up_again_writes_no_line_twice(capsys: pytest.CaptureFixture[str]) -> None:
    logs.init(Settings(log_level="INFO"))
    structlog.get_logger("seuil.test").info("once")
    assert len(lines(capsys)) == 1


@pytest.mark.usefixtures("app")
def test_a_database_error_is_logged_without_what_the_row_holds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = "secret.person@example.ch"
    make_account(address)
    capsys.readouterr()
    try:
        make_account(address)
    except IntegrityError:
        structlog.get_logger("seuil.test").exception("bug")
    (line,) = lines(capsys)
    assert "IntegrityError" in str(line["exception"])
    assert "account.py" in str(line["exception"])
    for value in ("secret.person", "Favre", "argon2", "1950"):
        assert value not in json.dumps(line)
