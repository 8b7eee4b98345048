"""`recs incidents`. Its code is imported when it runs, so that help is instant."""

import click

from recommendation_cli.options.listing import ListOptions, list_options, since_by_default
from recommendation_cli.options.table import ReadOptions, read_options
from recommendation_cli.runtime import Runtime


@click.command(
    epilog="""\b
Examples:
  recs incidents
  recs incidents --since 30d --failed
  recs incidents --since today -o jsonl | jq -r .incidentId | recs incident -"""
)
@list_options
@read_options
@click.pass_obj
def incidents(runtime: Runtime, read: ReadOptions, listed: ListOptions, /) -> None:
    """List recent incidents, newest first.

    They are those of the last 7 days, unless --since or --until is given. The command reads every agent's
    recommendations in that period, including agents that are new, and says what that cost. The counts are of the
    period alone. Filters leave incidents in which at least one recommendation matches.
    """
    from recommendation_cli.incidents.run import list_incidents

    list_incidents(runtime, read, since_by_default(runtime, listed, "7d"))
