"""What commands run in: the deployment's settings, and an application made of them."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from config import Settings
from idp import logs
from idp.app import create_app
from idp.errors import ConfigurationError
from idp.extensions import db, init_database

_HINTS = {
    "time_delta_parsing": "write a time as 00:00:30, 30 00:00:00 (days first) or PT30S (ISO 8601)",
    "extra_forbidden": "is no option: is it misspelt?",
}


def load_settings() -> Settings:
    """The deployment's settings, for a process that delivers nothing itself.

    Raises ConfigurationError: a line for each option that is wrong, naming its variable.
    """
    file = os.environ.get("IDP_ENV_FILE")
    if file and not Path(file).is_file():
        raise ConfigurationError(f"IDP_ENV_FILE: there is no file {file}")
    try:
        return Settings().model_copy(update={"worker": "external"})
    except ValidationError as error:
        lines = [_option_line(one) for one in error.errors()]
        raise ConfigurationError("\n".join(lines)) from None
    except SettingsError as error:
        field = re.search(r'field "(\w+)"', str(error))
        name = f"IDP_{field[1].upper()}" if field else "options"
        raise ConfigurationError(f'{name}: write it as JSON, for instance ["CH", "FR"]') from None


def _option_line(error: Mapping[str, Any]) -> str:
    name = "_".join(str(part) for part in error["loc"][:1]).upper()
    why = _HINTS.get(error["type"], error["msg"].removeprefix("Value error, "))
    return f"IDP_{name.removeprefix('IDP_')}: {why}"


def whole_app(settings: Settings) -> Flask:
    """The whole application. Raises ConfigurationError when it could not work as configured."""
    _check_url(settings.database_url)
    return create_app(settings)


def bare_app(settings: Settings) -> Flask:
    """Settings and database only, for what must work before there is a key or a schema.

    Raises ConfigurationError.
    """
    _check_url(settings.database_url)
    logs.init(settings)
    app = Flask("idp")
    app.extensions["seuil.settings"] = settings
    init_database(app, settings.database_url)
    return app


def _check_url(url: str) -> None:
    try:
        dialect = make_url(url).get_dialect()
        dialect.import_dbapi()
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(f"IDP_DATABASE_URL: {error}") from None
    except ModuleNotFoundError as error:
        message = f"IDP_DATABASE_URL: its driver {error.name} is not installed"
        raise ConfigurationError(message) from None
    if dialect.name not in {"sqlite", "postgresql"}:
        raise ConfigurationError(
            f"IDP_DATABASE_URL: {dialect.name} is neither SQLite nor PostgreSQL"
        )


@contextmanager
def application() -> Iterator[Flask]:
    """The whole application, inside its context."""
    with inside(whole_app(load_settings())) as app:
        yield app


@contextmanager
def database_only() -> Iterator[Flask]:
    """Settings and database, inside the context."""
    with inside(bare_app(load_settings())) as app:
        yield app


@contextmanager
def inside(app: Flask) -> Iterator[Flask]:
    """An application's context, with its connections closed at the end."""
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()
