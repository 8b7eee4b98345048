"""`recs report`. Its code is imported when it runs, so that help is instant."""

import click

from recommendation_cli.options.keys import key_argument
from recommendation_cli.options.listing import ListOptions, list_options
from recommendation_cli.options.table import TableOptions, table_options
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits


@click.command(
    epilog="""\b
Examples:
  recs report incident-7 -o incident-7.html
  recs report incident-7 --since 24h -o today.html
  recs report incident-7 --full -o everything.html"""
)
@key_argument("incident_id", limits.ID_BYTES)
@click.option(
    "-o",
    "--output",
    "destination",
    required=True,
    metavar="FILE",
    help="File to write, replaced if it exists; - is standard output.",
)
@click.option("--full", is_flag=True, help="Include and unfold all JSON, on paper too.")
@list_options
@table_options
@click.pass_obj
def report(  # noqa: PLR0913 - the option groups are positional
    runtime: Runtime, table: TableOptions, listed: ListOptions, /, *, incident_id: str, destination: str, full: bool
) -> None:
    """Write an HTML page for a post-incident review.

    The top says what was recommended, the suspected cause, how sure the agents were, what failed and what it cost. Then
    come agreement and conflicts, a row for each execution, confidence, what a replay changed in words, and what each
    agent said; add #RECOMMENDATION_ID to the page's address to link to one. It prints on about a page an execution.
    The page is one file, needs no network and runs no scripts; agents' text is never treated as markup.
    """
    from recommendation_cli.report.run import write_report

    write_report(runtime, incident_id, destination, table, listed, full=full)
