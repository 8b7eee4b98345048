"""`recs erase`. Its code is imported when it runs, so that help is instant."""

from datetime import datetime
from typing import Final, NamedTuple

import click

from recommendation_cli.dead_letters.options import QueueOptions, hold_option, with_queues
from recommendation_cli.options.declaring import Declaration, options_as
from recommendation_cli.options.keys import key_argument
from recommendation_cli.options.reason import checked_reason
from recommendation_cli.options.table import TableOptions, reviews_table_option, table_option
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits

_EPILOG: Final = """A script must give the incident's ID twice: as the argument, and with --confirm.

\b
Examples:
  recs erase incident-7 --dry-run
  recs erase incident-7 --reason "request 4711" --archive-bucket my-archive
  recs erase incident-7 --reason "request 4711" --confirm incident-7

\b
Exit codes:
  0    nothing is left within reach (or it was a dry run)
  1    there is nothing of this incident
  2    usage error, not confirmed, or the incident is held
  4    something is left; the message says what. Run the same command again to continue
For the others see recs --help."""


class ErasureOptions(NamedTuple):
    """How to erase; `archive_since` and `archive_until` are days in UTC, both inclusive, such as `2026-01-31`."""

    reason: str | None
    confirm: str | None
    dry_run: bool
    no_wait: bool
    hold: int | None
    archive_bucket: str | None
    archive_since: str | None
    archive_until: str | None
    table: str | None
    reviews_table: str | None


def _day(_ctx: click.Context, _param: click.Parameter, value: datetime | None) -> str | None:
    return None if value is None else value.date().isoformat()


def _day_option(name: str, text: str) -> Declaration:
    return click.option(name, type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", callback=_day, help=text)


@click.command(epilog=_EPILOG)
@key_argument("incident_id", limits.ID_BYTES)
@options_as(
    ErasureOptions,
    click.option(
        "--reason",
        metavar="TEXT",
        callback=checked_reason,
        help="Why; it stays in the incident's mark, so leave out names and other personal data.",
    ),
    click.option("--dry-run", is_flag=True, help="Show what would go, and end."),
    click.option("--confirm", metavar="ID", help="The incident's ID again, instead of typing it at the prompt."),
    click.option(
        "--no-wait",
        is_flag=True,
        help="Do not wait two minutes until every consumer knows. What is stored meanwhile is left (exit code 4).",
    ),
    click.option(
        "--archive-bucket",
        metavar="NAME",
        help="Bucket of the archive, whose files are rewritten [default: $RECOMMENDATIONS_ARCHIVE_BUCKET].",
    ),
    _day_option("--archive-since", "Look only at the archive's files of this day (UTC) and later ones."),
    _day_option("--archive-until", "Look only at the archive's files of this day (UTC) and earlier ones."),
    hold_option,
    table_option,
    reviews_table_option,
)
@with_queues
@click.pass_obj
def erase(runtime: Runtime, queues: QueueOptions, options: ErasureOptions, /, incident_id: str) -> None:
    """Permanently delete everything that was said about an incident.

    Deletes its recommendations, dead letters, reviews and lines in the archive. First shows how many there are and what
    cannot be reached, and asks for the incident's ID. A mark without content stays: when, by whom, why, counts, hashed
    IDs and digests. From then on no consumer stores a recommendation of this incident, however late it arrives.

    May be interrupted at any moment, even killed: run the same command again. An incident that is held is refused.
    """
    if options.reason is None and not options.dry_run:
        raise click.UsageError("Why? Pass --reason, or --dry-run to see what would go.")
    from recommendation_cli.erasure.archive_files import Bucket
    from recommendation_cli.erasure.run import Request, Stores, erase_incident

    place = (queues.region, queues.profile, queues.endpoint_url)
    table = TableOptions(options.table, options.reviews_table, *place, include_expired=True)
    bucket = options.archive_bucket or runtime.settings().archive_bucket
    days = (options.archive_since, options.archive_until)
    request = Request(
        incident_id, options.reason or "", options.confirm, options.dry_run, not options.no_wait, options.hold
    )
    stores = Stores(
        table.target(runtime),
        table.reviews_target(runtime),
        queues,
        None if bucket is None else Bucket(bucket, *days, *place),
    )
    erase_incident(runtime, request, stores)
