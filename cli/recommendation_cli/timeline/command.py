"""`recs timeline`. What it does is imported when it runs, so that help is instant."""

from typing import Any

import click

from recommendation_cli.options import ListOptions, ReadOptions, key, list_options, read_options
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits


@click.command(
    epilog="""\b
Examples:
  recs timeline incident-aws-s3-2017-02-28
  recs timeline incident-7 --since 24h
  recs timeline incident-7 -o jsonl | jq 'select(.failed) | .agentType'"""
)
@click.argument("incident_id", callback=key(limits.ID_BYTES))
@list_options
@read_options
@click.pass_obj
def timeline(runtime: Runtime, /, incident_id: str, **options: Any) -> None:
    """Show who said what when during an incident, oldest first.

    How long an agent worked is its metadata.durationMs; where that is missing, only its completion is marked.
    """
    from recommendation_cli.timeline.view import show_timeline

    listed = ListOptions.taken_from(options)
    show_timeline(runtime, incident_id, ReadOptions(**options), listed)
