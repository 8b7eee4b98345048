"""`recs ui`. Its code is imported when it runs, so that help is instant."""

import click

from recommendation_cli.options.declaring import options_as
from recommendation_cli.options.table import TableOptions, table_options
from recommendation_cli.runtime import Runtime
from recommendation_cli.ui.options import UiOptions


@click.command(
    epilog="""\b
Examples:
  recs ui
  recs ui /incident/incident-7        # a link that somebody copied from their page
  recs ui incident-7 --no-browser --port 8765
  recs ui --review"""
)
@options_as(
    UiOptions,
    click.argument("page", default="/"),
    click.option(
        "--port",
        type=click.IntRange(0, 65_535),
        default=0,
        metavar="N",
        help="Port on 127.0.0.1 [default: any free one].",
    ),
    click.option("--no-browser", is_flag=True, help="Print the address, and open no browser."),
    click.option(
        "--review", is_flag=True, help="Let the page write reviews, for which RecommendationReviewerRole is needed."
    ),
)
@table_options
@click.pass_obj
def ui(runtime: Runtime, table: TableOptions, options: UiOptions, /) -> None:
    """Look at incidents in a browser.

    Serves a page on 127.0.0.1 until Ctrl-C, for whoever has the address that is printed: incidents, an incident with
    each agent's output side by side, new recommendations as they are stored, two executions compared, search and
    statistics. It only reads, except for reviews with --review. PAGE is an ID, or the link that another person's page
    copied; without it, the incidents of the last 7 days are shown.
    """
    from recommendation_cli.ui.run import serve

    serve(runtime, table, options)
