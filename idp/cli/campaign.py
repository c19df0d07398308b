"""`idp campaign`."""

from datetime import datetime
from pathlib import Path

import rich_click as click

from idp.cli import asking, campaign_status, clerk
from idp.cli.audit import written_moment
from idp.cli.common import application
from idp.cli.output import json_option
from idp.errors import ConfigurationError
from idp.extensions import settings, transaction
from idp.legacy import registry
from idp.migration import campaign as campaigns
from idp.migration import exposition, reminders, statistics
from idp.options import LOCALES


@click.group()
def campaign() -> None:
    """The whole migration seen from above."""


_FILE = click.Path(dir_okay=False, path_type=Path)


@campaign.command()
@json_option
@click.option("--html", type=_FILE, help="Write one page with charts to this file instead.")
@click.option(
    "--prometheus", type=_FILE, help="Write figures for node_exporter to this file instead."
)
@click.option("--language", type=click.Choice(LOCALES), help="Of the page; else the deployment's.")
def status(
    html: Path | None, prometheus: Path | None, language: str | None, *, as_json: bool
) -> None:
    """How many began, how far they came, how many are done, and when the last will be."""
    with application():
        report = statistics.report()
        if html:
            page = campaign_status.page(report, language or settings.default_locale)
            campaign_status.write(html, page)
        if prometheus:
            campaign_status.write(prometheus, exposition.exposition(report))
    if as_json or not (html or prometheus):
        campaign_status.show(report, as_json=as_json)


@campaign.command()
@click.option("--source", default="", help="Of one old system only.")
@click.option(
    "--reason",
    required=True,
    callback=asking.reason,
    help="Why, for whoever reads the events later.",
)
@click.option(
    "--until",
    type=written_moment,
    help="When it ends, for people to read, by IDP_TIMEZONE; it ends by `resume` only.",
)
def pause(source: str, reason: str, until: datetime | None) -> None:
    """Refuse old identifiers for a while; old systems are not asked. Accounts sign in as ever."""
    with application():
        _known(source)
        ends = _ahead(until)
        with transaction():
            campaigns.pause(source, reason=reason, actor=clerk.actor(), until=ends)
    click.echo(f"Paused: old identifiers of {source or 'all sources'} are refused from now on.")
    if ends:
        click.echo(f"People read that it ends at {ends:%Y-%m-%d %H:%M (UTC%z)}; run `resume` then.")


@campaign.command()
@click.option("--source", default="", help="Of one old system only.")
@click.option(
    "--reason",
    required=True,
    callback=asking.reason,
    help="Why, for whoever reads the events later.",
)
def resume(source: str, reason: str) -> None:
    """Accept them again."""
    with application():
        with transaction():
            ended = campaigns.resume(source, reason=reason, actor=clerk.actor())
        if not ended:
            raise ConfigurationError(f"{source or 'the whole door'} is not paused")
        left = campaigns.door().shut
    click.echo(f"Resumed: old identifiers of {source or 'all sources'} are accepted.")
    if left:
        click.echo(
            f"Still shut, by pauses of their own or by their dates: {', '.join(sorted(left))}."
        )


@campaign.command()
@click.option("--dry-run", is_flag=True, help="Only say how many wait for one.")
@click.option("--limit", type=click.IntRange(1), help="Write to so many people at most.")
def remind(limit: int | None, *, dry_run: bool) -> None:
    """Write to people who proved an address and stopped: once a week and three times at most.

    May be broken off and called again: nobody is written to twice.
    """
    with application():
        if dry_run:
            due = reminders.count_due()
            click.echo(f"{due} case{' waits' if due == 1 else 's wait'} for a reminder.")
            return
        written = reminders.remind(actor=clerk.actor(), limit=limit)
    noun = "reminder was" if written == 1 else "reminders were"
    click.echo(f"{written} {noun} left in the outbox.")


def _ahead(until: datetime | None) -> datetime | None:
    """A moment to come, by the deployment's clock. Raises ConfigurationError for one that has passed."""
    if until is None:
        return None
    now = campaigns.here()
    moment = until.astimezone(now.tzinfo) if until.tzinfo else until.replace(tzinfo=now.tzinfo)
    if moment <= now:
        raise ConfigurationError(
            f"--until {moment:%Y-%m-%d %H:%M} has passed: it is {now:%Y-%m-%d %H:%M} here"
        )
    return moment


def _known(source: str) -> None:
    names = [one.options.name for one in registry.current().sources]
    if source and source not in names:
        raise ConfigurationError(
            f"no source is called {source}; there are: {', '.join(names) or 'none'}"
        )
