"""What commands run in: the deployment's settings, an application made of them, and what they name in it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from idp import logs, schema
from idp.app import create_app
from idp.clients import manage
from idp.clients.client import Client
from idp.errors import ConfigurationError
from idp.extensions import db, init_database

_HINTS = {
    "time_delta_parsing": "write seconds (30), 00:00:30 or PT30S (ISO 8601)",
    "extra_forbidden": "is no option: is it misspelt?",
    "too_short": "name at least one",
}


DASHED = {"ignore_unknown_options": True}
"""Context settings of a command whose argument is a random name: those may begin with a dash."""


def load_settings() -> Settings:
    """The deployment's settings.

    Raises ConfigurationError: a line for each option that is wrong, naming its variable.
    """
    file = os.environ.get("IDP_ENV_FILE")
    if file and not Path(file).is_file():
        raise ConfigurationError(f"IDP_ENV_FILE: there is no file {file}")
    try:
        return Settings()
    except ValidationError as error:
        lines = [_option_line(one) for one in error.errors()]
        raise ConfigurationError("\n".join(lines)) from None


def sudo_user() -> str:
    """Who called `sudo`; empty without. No more than a claim: the environment is the caller's."""
    name = os.environ.get("SUDO_USER", "")[:40]
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _option_line(error: Mapping[str, Any]) -> str:
    name = "_".join(str(part) for part in error["loc"][:1]).upper()
    why = _HINTS.get(error["type"], error["msg"].removeprefix("Value error, "))
    # What is wrong with several together names them itself.
    return f"IDP_{name.removeprefix('IDP_')}: {why}" if name else why


def whole_app(settings: Settings) -> Flask:
    """The whole application, which delivers nothing by itself.

    Raises ConfigurationError when it could not work as configured.
    """
    return create_app(settings.model_copy(update={"worker": "external"}))


def bare_app(settings: Settings) -> Flask:
    """Settings and database only, for what must work before there is a key or a schema.

    Raises ConfigurationError.
    """
    logs.init(settings)
    app = Flask("idp")
    app.extensions["seuil.settings"] = settings
    init_database(app, settings.database_url)
    return app


@contextmanager
def application() -> Iterator[Flask]:
    """The whole application on a database that is ready, inside its context."""
    with inside(whole_app(load_settings())) as app:
        demand_database()
        yield app


@contextmanager
def database_only() -> Iterator[Flask]:
    """Settings and a database that is ready, inside the context."""
    with any_schema() as app:
        demand_database()
        yield app


@contextmanager
def any_schema() -> Iterator[Flask]:
    """Settings and a database whose schema may be old or missing, inside the context."""
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


def registered(client_id: str) -> Client:
    """The application of this name. Raises ConfigurationError when there is none."""
    client = manage.get(client_id)
    if client is None:
        raise ConfigurationError(f"{client_id} is not registered; see `idp clients list`")
    return client


def database_name() -> str:
    """Where the data is: the file, or the URL without its password."""
    url = db.engine.url
    in_file = url.get_backend_name() == "sqlite"
    return str(url.database) if in_file else url.render_as_string(hide_password=True)


def demand_database() -> None:
    """Raises ConfigurationError, one line, unless the bound database answers and has our schema."""
    try:
        found = schema.revisions()
    except SQLAlchemyError as error:
        why = (str(getattr(error, "orig", error)).strip().splitlines() or [""])[0]
        message = f"{database_name()} cannot be reached: {why}; look at IDP_DATABASE_URL"
        raise ConfigurationError(message) from None
    refuse_newer(found)
    if not found.current:
        raise ConfigurationError("the schema is behind: run `idp db upgrade`")


def refuse_newer(found: schema.Revisions) -> None:
    """Raises ConfigurationError where a newer version has changed the schema."""
    if found.ahead:
        message = f"the schema ({found.database}) is newer than this version of the program"
        raise ConfigurationError(message)
