"""`idp clients`."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import rich_click as click

from idp.audit import events
from idp.cli import clerk, client_options, client_test, registration_tokens
from idp.cli.asking import confirm, yes_option
from idp.cli.common import database_only, registered
from idp.cli.legacy_map import write_map
from idp.cli.output import json_option, show_record, show_rows
from idp.clients import manage, sectors, strangers
from idp.clients.client import Client
from idp.clients.registration import Registration, as_json
from idp.clients.rules import InvalidRegistrationError
from idp.extensions import db, settings, transaction
from idp.grants import consents
from idp.legacy import registry
from idp.sessions.authentication import ACR


@click.group()
def clients() -> None:
    """Registered relying parties."""


for _command in (write_map, client_test.test, *registration_tokens.COMMANDS):
    clients.add_command(_command)


@clients.command()
@click.option("--id", "client_id", default="", help="Public name; made up when left out.")
@client_options.metadata
@json_option
def create(client_id: str, file: Path | None, *, as_json: bool, **options: Any) -> None:
    """Register an application. Its secret is shown once, here."""
    with database_only():
        given = client_options.given(file, options)
        signs_in = "authorization_code" in given.get("grant_types", ("authorization_code",))
        for field in ("client_name", *(["redirect_uris"] if signs_in else [])):
            if field not in given:
                missing = f"Missing option '{client_options.flag(field)}'."
                raise click.UsageError(missing, click.get_current_context())
        if not signs_in:
            given.setdefault("scope", "")
        _check_sources(given)
        _check_levels(given)
        new = Registration(**given)
        sectors.check(new)
        with transaction():
            client, secret = manage.create(new, client_id)
            events.client_created(client_id=client.client_id, actor=clerk.actor())
            record = {**_described(client), "client_secret": secret}
    _show(record, as_json=as_json)
    if secret and not as_json:
        click.echo("The secret is not kept: copy it now.", err=True)


@clients.command("list")
@json_option
def list_clients(*, as_json: bool) -> None:
    """All registrations."""
    with database_only():
        rows = [_described(client) for client in manage.listing()]
    show_rows(("client_id", "client_name", "redirect_uris", "scope"), rows, as_json=as_json)


@clients.command()
@click.argument("client_id")
@json_option
def show(client_id: str, *, as_json: bool) -> None:
    """One registration, whole."""
    with database_only():
        _show(_described(registered(client_id)), as_json=as_json)


@clients.command()
@click.argument("client_id")
@client_options.metadata
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def update(client_id: str, file: Path | None, *, dry_run: bool, **options: Any) -> None:
    """Change what is named; a repeatable option replaces the whole list, and "" empties it. Languages that
    --in-language does not name stay."""
    with database_only():
        given = client_options.given(file, options)
        if not given:
            raise click.UsageError("Name something to change.", click.get_current_context())
        client = registered(client_id)
        before, by_itself = as_json(client.registration), client.management_digest is not None
        _check_sources(given)
        _check_levels(given)
        sectors.check(manage.changed_by(client_id, given))
        with transaction():
            after = as_json(manage.update_client(client_id, given).registration)
            names = dict.fromkeys((*before, *after))
            changed = [name for name in names if after.get(name) != before.get(name)]
            if dry_run:
                db.session.rollback()
            elif changed:
                _forget_scopes(before["resource_scope"], after["resource_scope"])
                events.client_updated(client_id=client_id, fields=changed, actor=clerk.actor())
        left = _asking_for(before["resource_scope"], after["resource_scope"])
    _show_changes(before, after, changed)
    done = "would be" if dry_run else "is"
    click.echo(f"Client {client_id} {done} {'updated' if changed else 'as it was'}.")
    if by_itself:
        _warn_of_return(changed)
    if left:
        click.echo(f"These ask for scopes that are gone: update {', '.join(left)}.", err=True)


@clients.command("rotate-secret")
@click.argument("client_id")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, 24 * 90),
    default=24,
    show_default=True,
    help="The former secret works for so long, while the application changes over.",
)
def rotate_secret(client_id: str, overlap_hours: int) -> None:
    """Make a new secret, shown once, here."""
    with database_only(), transaction():
        registered(client_id)
        secret = manage.rotate_secret(client_id, timedelta(hours=overlap_hours))
        events.client_secret_rotated(
            client_id=client_id, overlap_hours=overlap_hours, actor=clerk.actor()
        )
    click.echo(secret)
    until = f"works for {overlap_hours} more hours" if overlap_hours else "works no more"
    click.echo(f"The former secret {until}.", err=True)


@clients.command()
@click.argument("client_id")
@yes_option
def delete(client_id: str, *, yes: bool) -> None:
    """Forget an application."""
    with database_only():
        gone = registered(client_id).registration
        left = [
            one.client_id
            for one in manage.listing()
            if gone.resource_uri and gone.resource_uri in one.registration.resources
        ]
    if left:
        click.echo(f"These have tokens for it, and must be updated: {', '.join(left)}.", err=True)
    confirm(f"Codes and tokens of {gone.client_name} die with it. Delete this client?", yes=yes)
    with database_only(), transaction():
        consents.forget_client(registered(client_id).id)
        manage.remove(client_id)
        _forget_scopes(gone.resource_scope, "")
        events.client_deleted(client_id=client_id, actor=clerk.actor())
    click.echo(f"Client {client_id} is deleted.")


def _forget_scopes(before: str, after: str) -> None:
    """Who agreed to a scope of one API did not agree to that of another, which may have its name one day."""
    consents.forget_scopes(set(before.split()) - set(after.split()))


def _asking_for(before: str, after: str) -> list[str]:
    """Clients whose registration has a scope that a resource server had, and has no more."""
    gone = set(before.split()) - set(after.split())
    return [one.client_id for one in manage.listing() if gone & {*one.registration.scope.split()}]


def _show_changes(before: dict[str, Any], after: dict[str, Any], changed: list[str]) -> None:
    for name in changed:
        old, new = _shown(before.get(name, "")), _shown(after.get(name, ""))
        click.echo(f"- {name}: {old}\n+ {name}: {new}")


def _warn_of_return(changed: list[str]) -> None:
    not_theirs = {*strangers.FIXED, "subject_type", "sector_identifier_uri"}
    theirs = [name for name in changed if name.partition("#")[0] not in not_theirs]
    if theirs:
        said = ", ".join(theirs)
        click.echo(f"It registered itself, and can change this back: {said}.", err=True)


def _show(record: dict[str, Any], *, as_json: bool) -> None:
    """All of it for machines; for people what says something."""
    said = {name: value for name, value in record.items() if value not in (None, "", [], {})}
    show_record(record if as_json else said, as_json=as_json)


def _shown(value: Any) -> str:
    """As JSON, with nothing in it that a terminal would act on."""
    return json.dumps(value, ensure_ascii=not str(value).isprintable())


def _check_sources(given: dict[str, Any]) -> None:
    """Raises InvalidRegistrationError for an old system that is not in the file of sources."""
    wanted = given.get("legacy_sources", ())
    file = settings.legacy_sources
    known = [source.options.name for source in registry.read(file)] if wanted and file else []
    for name in wanted:
        if name not in known:
            there = ", ".join(known) or "none: see IDP_LEGACY_SOURCES"
            raise InvalidRegistrationError(
                "legacy_sources", f"has no old system {name}; there are: {there}"
            )


def _check_levels(given: dict[str, Any]) -> None:
    """Raises InvalidRegistrationError for a level that nobody can reach here."""
    for level in given.get("userinfo_acr_values", ()):
        if level not in ACR.values():
            there = ", ".join(ACR.values())
            raise InvalidRegistrationError(
                "userinfo_acr_values", f"has no level {level}; there are: {there}"
            )


def _described(client: Client) -> dict[str, Any]:
    """All that may be shown: of the secrets, how many work and until when."""
    working = client.working_secrets
    return {
        "client_id": client.client_id,
        **as_json(client.registration),
        "registered_itself": client.management_digest is not None,
        "kept_until": client.kept_until,
        "secrets": len(working),
        "former_secret_until": max((end for end in working if end), default=None),
        "created_at": client.created_at,
        "updated_at": client.updated_at,
    }
