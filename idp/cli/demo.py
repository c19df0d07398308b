"""`idp demo`: the one command that a deployment can do without."""

from pathlib import Path
from typing import Any

import rich_click as click

from idp.cli.serve import PORT
from idp.errors import ConfigurationError

_EXTRA = {"aiosmtpd"}

try:
    from idp.demo import launch
except ModuleNotFoundError as _error:
    if str(_error.name).partition(".")[0] not in _EXTRA:
        raise
    _complete = False
else:
    _complete = True


@click.command()
@click.option("--port", type=PORT, default=8000, show_default=True, help="The provider.")
@click.option("--portal-port", type=PORT, default=8001, show_default=True)
@click.option(
    "--archive-port", type=PORT, default=8002, show_default=True, help="Not of the house."
)
@click.option("--inbox-port", type=PORT, default=8025, show_default=True)
@click.option("--smtp-port", type=PORT, default=8026, show_default=True)
@click.option(
    "--state", type=click.Path(path_type=Path), default=Path("demo-state"), show_default=True
)
@click.option("--reset", is_flag=True, help="Forget everything first.")
def demo(**options: Any) -> None:
    """The provider with a portal, an application of others, old users and an inbox, on this machine only."""
    if not _complete:
        message = "the demonstration needs its extra: pip install 'seuil[demo]'"
        raise ConfigurationError(message)
    launch.run(launch.Options(**options))
