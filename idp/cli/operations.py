"""`idp check` and `idp purge`."""

from dataclasses import asdict

import rich_click as click

from idp import housekeeping
from idp.cli import checks, clerk, neighbours
from idp.cli.checks import Finding
from idp.cli.common import database_only, load_settings
from idp.cli.output import json_option, show_record, show_rows
from idp.errors import ConfigurationError


@click.command()
@json_option
@click.pass_context
def check(ctx: click.Context, *, as_json: bool) -> None:
    """Say what is wrong with this deployment before users find out. Exit code 1 on errors."""
    try:
        findings = checks.run(load_settings(), neighbours.ALL)
    except ConfigurationError as error:
        findings = [Finding("error", "options", line) for line in str(error).splitlines()]
    rows = [asdict(finding) for finding in findings]
    show_rows(("level", "what", "message"), rows, as_json=as_json)
    if any(finding.level == "error" for finding in findings):
        ctx.exit(1)


@click.command()
@json_option
def purge(*, as_json: bool) -> None:
    """Delete all that is over: expired tokens, codes, sessions, cases. The worker does it too."""
    with database_only():
        show_record(housekeeping.purge(clerk.actor()), as_json=as_json)
