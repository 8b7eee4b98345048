"""`recs doctor`. Its code is imported when it runs, so that help is instant."""

import click

from recommendation_cli.dead_letters.options import QueueOptions, with_queues
from recommendation_cli.options.table import TableOptions, output_option, reviews_table_option, table_option
from recommendation_cli.runtime import Runtime


@click.command(
    epilog="""\b
Examples:
  recs doctor
  recs doctor -o json | jq '.[] | select(.state == "failed")'

\b
Exit codes:
  0    everything matches the template
  1    problems found, or something could not be checked
For the others see recs --help."""
)
@output_option
@table_option
@reviews_table_option
@with_queues
@click.pass_obj
def doctor(
    runtime: Runtime, queues: QueueOptions, /, output: str, table: str | None, reviews_table: str | None
) -> None:
    """Check the deployment against the template.

    Checks queues, tables, indexes, event source mapping, function, permissions and alarms. Each problem comes with its
    remedy. Nothing is changed. Anything you are not allowed to inspect is listed with the permission it needs.
    """
    from recommendation_cli.doctor.run import examine

    place = (queues.region, queues.profile, queues.endpoint_url)
    tables = TableOptions(table, reviews_table, *place, include_expired=True)
    targets = (tables.target(runtime), tables.reviews_target(runtime))
    examine(runtime, *targets, queues.destination(runtime), queues.dead_letters(runtime), output=output)
