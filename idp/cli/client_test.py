"""`idp clients test`: an application's set-up, as its developer would meet it."""

from dataclasses import asdict

import rich_click as click

from idp.cli import clerk, client_checks, client_reach
from idp.cli.common import database_only, registered
from idp.cli.output import json_option, show_rows


@click.command("test")
@click.argument("client_id")
@json_option
@click.pass_context
def test(ctx: click.Context, client_id: str, *, as_json: bool) -> None:
    """Say what is wrong with an application's set-up, and what to do. Exit code 1 on errors.

    Its addresses are asked from here, and what was refused in its name is looked up. Nothing is changed.
    """
    with database_only():
        client = registered(client_id)
        registration = client.registration
        findings = [*client_checks.of_registration(client), *client_checks.of_refusals(client_id)]
        clerk.looked_at("clients test", len(findings), {"client": client_id})
        findings += client_reach.of_addresses(registration)
    rows = [asdict(one) for one in findings]
    show_rows(("level", "what", "message"), rows, as_json=as_json)
    ctx.exit(1 if any(one.level == "error" for one in findings) else 0)
