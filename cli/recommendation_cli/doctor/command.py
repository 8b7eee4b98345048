"""`recs doctor`. What it does is imported when it runs, so that help is instant."""

import click

from recommendation_cli.dead_letters.options import QueueOptions, queue_options
from recommendation_cli.options import options_as, output_option, table_option
from recommendation_cli.runtime import Runtime


@click.command(
    epilog="""\b
Examples:
  recs doctor
  recs doctor -o json | jq '.[] | select(.state == "wrong")'

\b
Exit codes:
  0    all is as the template wants it
  1    something is not, or could not be looked at
The others are those of recs --help."""
)
@output_option
@table_option
@options_as(QueueOptions, queue_options)
@click.pass_obj
def doctor(runtime: Runtime, queues: QueueOptions, /, output: str, table: str | None) -> None:
    """Check queues, table, indexes, mapping and permissions against the template.

    Each finding comes with its remedy. Nothing is changed. What you may not look at is named, with the permission.
    """
    from recommendation_cli.aws.connection import Target
    from recommendation_cli.doctor.run import examine

    target = Target(table or runtime.default_table(), queues.region, queues.profile, queues.endpoint_url)
    examine(runtime, target, queues.destination(runtime), queues.dead_letters(runtime), output)
