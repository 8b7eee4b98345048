"""`recs report`. What it does is imported when it runs, so that help is instant."""

import click

from recommendation_cli.options import ListOptions, TableOptions, key, list_options, table_options
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits


@click.command(
    epilog="""\b
Examples:
  recs report incident-7 -o incident-7.html
  recs report incident-7 --since 24h -o today.html"""
)
@click.argument("incident_id", callback=key(limits.ID_BYTES))
@click.option(
    "-o", "--output", "destination", required=True, metavar="FILE", help="Replaced if it exists; - is stdout."
)
@list_options
@table_options
@click.pass_obj
def report(runtime: Runtime, table: TableOptions, listed: ListOptions, /, incident_id: str, destination: str) -> None:
    """Write an incident's page for the post-incident review.

    One HTML file with timeline, confidence, agreement and conflicts, each agent's reasoning and citations, and what a
    replay changed. It needs no network and runs no script; agents' text is shown as text.
    """
    from recommendation_cli.report.run import write_report

    write_report(runtime, incident_id, destination, table, listed)
