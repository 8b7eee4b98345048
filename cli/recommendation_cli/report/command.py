"""`recs report`. Its code is imported when it runs, so that help is instant."""

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
    "-o",
    "--output",
    "destination",
    required=True,
    metavar="FILE",
    help="File to write, replaced if it exists; - is standard output.",
)
@list_options
@table_options
@click.pass_obj
def report(runtime: Runtime, table: TableOptions, listed: ListOptions, /, incident_id: str, destination: str) -> None:
    """Write an HTML page for a post-incident review.

    The page is one file with timeline, confidence, agreement and conflicts, each agent's reasoning and citations, and
    what a replay changed. It needs no network and runs no scripts; agents' text is never treated as markup.
    """
    from recommendation_cli.report.run import write_report

    write_report(runtime, incident_id, destination, table, listed)
