"""`idp legacy`: the old systems, before and while people leave them."""

import rich_click as click

from idp.cli.legacy_audit import audit_rows
from idp.cli.legacy_check import check
from idp.cli.legacy_import import forget_rows, import_rows
from idp.cli.legacy_reconcile import reconcile


@click.group()
def legacy() -> None:
    """The old systems: what they hold, and copies of them."""


for _command in (check, audit_rows, import_rows, forget_rows, reconcile):
    legacy.add_command(_command)
