"""What commands share: settings, an application to run in, tables or JSON, one-line errors."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import rich_click as click
from flask import Flask
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from config import Settings
from idp import logs
from idp.app import create_app
from idp.clients.rules import InvalidRegistrationError
from idp.errors import ConfigurationError
from idp.extensions import init_database

T = TypeVar("T", bound=Callable[..., Any])


class OneLineErrors(click.RichGroup):
    """A group whose expected failures are one clear line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and turn what an administrator can mend into a message."""
        try:
            return super().invoke(ctx)
        except (ConfigurationError, InvalidRegistrationError) as error:
            raise click.ClickException(str(error)) from None
        except DBAPIError as error:
            first = str(error.orig).strip().splitlines()[0]
            hint = "is the schema up to date (`idp db upgrade`)?"
            raise click.ClickException(f"database: {first}; {hint}") from None


def load_settings() -> Settings:
    """The deployment's settings. Raises ConfigurationError naming each option that is wrong."""
    try:
        return Settings().model_copy(update={"worker": "external"})
    except ValidationError as error:
        lines = [_option_line(one) for one in error.errors()]
        raise ConfigurationError("; ".join(lines)) from None


def _option_line(error: Mapping[str, Any]) -> str:
    name = "_".join(str(part) for part in error["loc"][:1]).upper()
    return f"IDP_{name.removeprefix('IDP_')}: {error['msg'].removeprefix('Value error, ')}"


@contextmanager
def application() -> Iterator[Flask]:
    """The whole application, inside its context."""
    app = create_app(load_settings())
    with app.app_context():
        yield app


@contextmanager
def database_only() -> Iterator[Flask]:
    """Settings and database, for commands that must work before there is a key."""
    settings = load_settings()
    logs.init(settings)
    app = Flask("idp")
    app.extensions["seuil.settings"] = settings
    init_database(app, settings.database_url)
    with app.app_context():
        yield app


def json_option(command: T) -> T:
    """`--json` for a read command."""
    decorate: Callable[[T], T] = click.option(
        "--json", "as_json", is_flag=True, help="Write JSON for machines."
    )
    return decorate(command)


def show_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """A table, or a JSON list."""
    if as_json:
        click.echo(to_json([dict(row) for row in rows]))
        return
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    Console().print(table)


def show_record(record: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing, a line each, or a JSON object."""
    if as_json:
        click.echo(to_json(dict(record)))
        return
    table = Table(show_header=False, box=None)
    for name, value in record.items():
        table.add_row(name, _cell(value))
    Console().print(table)


def to_json(value: object) -> str:
    """Indented, moments in ISO 8601."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, list | tuple):
        return "\n".join(str(one) for one in value)
    return "" if value is None else str(value)
