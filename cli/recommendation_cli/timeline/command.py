"""`recs timeline`. Its code is imported when it runs, so that help is instant."""

import click

from recommendation_cli.options.keys import key_argument
from recommendation_cli.options.listing import ListOptions, list_options
from recommendation_cli.options.table import ReadOptions, read_options
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits


@click.command(
    epilog="""\b
Examples:
  recs timeline incident-aws-s3-2017-02-28
  recs timeline incident-7 --since 24h
  recs timeline incident-7 -o jsonl | jq 'select(.failed) | .agentType'"""
)
@key_argument("incident_id", limits.ID_BYTES)
@list_options
@read_options
@click.pass_obj
def timeline(runtime: Runtime, read: ReadOptions, listed: ListOptions, /, incident_id: str) -> None:
    """Show which agent said what, and when, oldest first.

    How long an agent worked comes from metadata.durationMs; without it, only its completion is marked.
    """
    from recommendation_cli.timeline.run import show_timeline

    show_timeline(runtime, incident_id, read, listed)
