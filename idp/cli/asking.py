"""Asking before what cannot be undone, once it is known that there is something to do."""

from collections.abc import Callable
from typing import Any, TypeVar

import rich_click as click

T = TypeVar("T", bound=Callable[..., Any])


def yes_option(command: T) -> T:
    """`--yes` for a command that asks."""
    decorate: Callable[[T], T] = click.option("--yes", is_flag=True, help="Do not ask.")
    return decorate(command)


def reason(_ctx: click.Context, _parameter: click.Parameter, text: str) -> str:
    """Callback of an option that says why: something must be written."""
    if not text.strip():
        raise click.BadParameter("write a reason, for whoever reads the events later.")
    return text


def reason_option(command: T) -> T:
    """`--reason` for a command that changes something about a person."""
    decorate: Callable[[T], T] = click.option(
        "--reason", required=True, callback=reason, help="Kept with the audit event."
    )
    return decorate(command)


def confirm(question: str, *, yes: bool) -> None:
    """Raises click.Abort unless the answer, or the option, is yes."""
    if not yes:
        click.confirm(question, abort=True)
