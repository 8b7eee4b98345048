"""The commands of a post-incident review. What they do is imported when they run, so that help is instant."""

from typing import Any, Final

import click

from cli.options import ListOptions, ReadOptions, form_options, key, list_options, source_options
from cli.runtime import Runtime
from shared import limits

_EVENT_FORMS: Final = ("table", "json", "jsonl")


@click.command(
    epilog="""\b
Examples:
  recs timeline incident-aws-s3-2017-02-28
  recs timeline incident-7 --since 24h
  recs timeline incident-7 -o jsonl | jq 'select(.failed) | .agentType'"""
)
@click.argument("incident_id", callback=key(limits.ID_BYTES))
@list_options
@form_options(_EVENT_FORMS)
@source_options
@click.pass_obj
def timeline(runtime: Runtime, /, incident_id: str, **options: Any) -> None:
    """Show who said what when during an incident, oldest first.

    How long an agent worked is its metadata.durationMs; where that is missing, only its completion is marked.
    """
    from cli.timeline_view import show_timeline  # noqa: PLC0415 - see the module's docstring

    listed = ListOptions.taken_from(options)
    show_timeline(runtime, incident_id, ReadOptions(**options), listed)


COMMANDS: Final = (timeline,)
