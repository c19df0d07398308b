"""The `idp` command."""

import rich_click as click
from click.shell_completion import get_completion_class

from idp.cli.audit import audit
from idp.cli.campaign import campaign
from idp.cli.clients import clients
from idp.cli.database import db
from idp.cli.demo import demo
from idp.cli.failures import OneLineErrors
from idp.cli.keys import keys
from idp.cli.legacy import legacy
from idp.cli.migration import migration
from idp.cli.operations import check, purge
from idp.cli.outbox import outbox
from idp.cli.serve import run, worker
from idp.cli.sms import sms
from idp.cli.users import users

click.rich_click.TEXT_MARKUP = "rich"
click.rich_click.OPTIONS_TABLE_COLUMN_TYPES = ["required", "opt_all_metavar", "help"]


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="seuil", prog_name="seuil")
def main() -> None:
    """Seuil, the provider that users of the e-services sign in with.

    Options come from IDP_… variables; docs/configuration.md lists them.
    """


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Write the completion script of a shell: eval "$(idp completion bash)"."""
    script = get_completion_class(shell)
    assert script is not None, "the choices are those that exist"
    click.echo(script(main, {}, "idp", "_IDP_COMPLETE").source())


for _command in (
    db,
    keys,
    clients,
    users,
    legacy,
    migration,
    outbox,
    sms,
    audit,
    campaign,
    check,
    purge,
    run,
    worker,
    demo,
):
    main.add_command(_command)
