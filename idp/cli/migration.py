"""`idp migration`."""

import rich_click as click

from idp.cli import asking, clerk
from idp.cli.cases import list_cases, show_case
from idp.cli.common import DASHED, application
from idp.cli.corrections import merge, reopen, revert
from idp.cli.output import printable
from idp.errors import ConfigurationError
from idp.extensions import release, transaction
from idp.flow import on_record
from idp.legacy import registry
from idp.legacy.registry import Found
from idp.migration import invitations
from idp.migration.cases import Known
from idp.migration.invitations import By, Disputed, Issued, Taken


@click.group()
def migration() -> None:
    """The way of single people from an old system to an account."""


@migration.command(context_settings=DASHED)
@click.argument("identifier")
@click.option("--source", help="Of this old system only.")
@asking.reason_option
def invite(identifier: str, source: str | None, reason: str) -> None:
    """A code that opens the migration of an old identifier, without or besides its old password. Make sure
    first of who asks for it. The address on record is told, now and when the code is used."""
    with application():
        found = _row(identifier, source)
        known = Known.of(found.source, found.person, identifier)
        contact = on_record.contact_of(known.email, known.phone)
        email = contact.destination if contact and "@" in contact.destination else None
        with transaction():
            issued = invitations.invite_identity(known, email, By(clerk.actor(), reason))
        if isinstance(issued, Taken):
            raise ConfigurationError(f"{identifier} has migrated already: account {issued.sub}")
        if isinstance(issued, Disputed):
            raise ConfigurationError(
                f"case {issued.reference} is disputed: once you are sure of who asks, run "
                f"`idp migration reopen {issued.reference}` first"
            )
        show(f"{known.source}:{known.key}", issued)
        told = (
            f"{clerk.masked(email)} is told" if email else "no address is on record: nobody is told"
        )
        click.echo(told)
        if found.person.locked:
            click.echo("locked in the old system: the code opens the migration all the same")


for _command in (list_cases, show_case, reopen, revert, merge):
    migration.add_command(_command)


def show(whom: str, issued: Issued) -> None:
    """The code, this once."""
    until = issued.expires_at.isoformat(sep=" ", timespec="minutes").replace("+00:00", "Z")
    click.echo(
        f"{printable(whom)}: {issued.code}\nworks once, until {until}; it is shown nowhere else"
    )


def _row(identifier: str, source: str | None) -> Found:
    """The row, of whoever can be found. Looking leaves a trace when nobody is."""
    sources = registry.current()
    names = [one.options.name for one in sources.sources]
    if source is not None and source not in names:
        raise ConfigurationError(f"there is no source {source}; there are: {', '.join(names)}")
    release()
    found = sources.find(identifier, source)
    if isinstance(found, Found):
        return found
    clerk.looked_at("migration invite", 0, {"identifier": clerk.masked(identifier)})
    if found is not None:
        raise ConfigurationError(f"{identifier}: {found.reason}")
    silent = "" if sources.all_available() else " (a source does not answer: see `idp check`)"
    raise ConfigurationError(f"no old system knows {identifier}{silent}")
