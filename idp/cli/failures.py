"""How a command fails: one clear line on stderr, and an exit code."""

import sys
from typing import Any, NoReturn

import rich_click as click
from sqlalchemy.exc import DBAPIError

from idp.clients.rules import InvalidRegistrationError
from idp.errors import ConfigurationError

_EXPECTED = (click.ClickException, ConfigurationError, InvalidRegistrationError, DBAPIError)


class OneLineErrors(click.RichGroup):
    """A group whose expected failures are one clear line each: exit code 1, or 2 for wrong usage."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run the command and leave with its exit code."""
        try:
            status = super().main(*args, **{**extra, "standalone_mode": False})
        except _EXPECTED as error:
            for line in _lines(error):
                click.secho("Error: ", fg="red", nl=False, err=True)
                click.echo(line, err=True)
            sys.exit(getattr(error, "exit_code", 1))
        except click.Abort:
            click.echo("Aborted: nothing was done.", err=True)
            sys.exit(1)
        sys.exit(status if isinstance(status, int) else 0)


def _lines(error: Exception) -> list[str]:
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "idp"
        return [f"{_sentence(error.format_message())} See `{command} --help`."]
    if isinstance(error, click.ClickException):
        return [_flat(error.format_message())]
    if isinstance(error, DBAPIError):
        first = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]
        return [f"database: {first}; look at IDP_DATABASE_URL"]
    return str(error).splitlines()


def _sentence(message: str) -> str:
    text = _flat(message)
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _flat(message: str) -> str:
    return " ".join(message.split())
