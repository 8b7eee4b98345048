"""The commands that list and show recommendations. What they do is imported when they run, so that help is instant."""

from typing import Any, Final

import click

from recommendation_cli.completion import complete_agents
from recommendation_cli.options import (
    ListOptions,
    ReadOptions,
    confidence_option,
    key,
    limit_option,
    list_options,
    period_options,
    read_options,
)
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits

_RECOMMENDATION_ID_BYTES: Final = 2048  # DynamoDB's limit of a partition key


@click.command(
    epilog="""\b
Examples:
  recs incident incident-aws-s3-2017-02-28
  recs incident incident-7 --since 2026-01-31 --until 2026-02-01
  recs incident incident-7 --since 12:00 --agent consensus --agent knowledge-rag
  recs incident incident-7 -o json > incident-7.json"""
)
@click.argument("incident_id", callback=key(limits.ID_BYTES))
@list_options
@read_options
@click.pass_obj
def incident(runtime: Runtime, /, incident_id: str, **options: Any) -> None:
    """List an incident's recommendations by execution."""
    _list(runtime, "incidentId", incident_id, options)


@click.command(
    epilog="""\b
Examples:
  recs agent consensus --limit 20
  recs agent risk-blast-radius --since 7d -o csv > week.csv
  recs agent consensus --since 24h --min-confidence 0.8"""
)
@click.argument("agent_type", callback=key(limits.AGENT_TYPE_BYTES), shell_complete=complete_agents)
@limit_option
@period_options
@confidence_option
@read_options
@click.pass_obj
def agent(runtime: Runtime, /, agent_type: str, **options: Any) -> None:
    """List an agent's recommendations over all incidents."""
    _list(runtime, "agentType", agent_type, options)


@click.command(
    epilog="""\b
Examples:
  recs execution exec-42
  recs execution exec-42 -o jsonl | jq -r .reasoning"""
)
@click.argument("execution_id", callback=key(limits.ID_BYTES))
@list_options
@read_options
@click.pass_obj
def execution(runtime: Runtime, /, execution_id: str, **options: Any) -> None:
    """List what one execution recommended."""
    _list(runtime, "executionId", execution_id, options)


@click.command(
    epilog="""\b
Examples:
  recs show rec-incident-7-consensus-2026-01-31T12:00:00Z
  recs show rec-incident-7-consensus-2026-01-31T12:00:00Z -o json | jq .recommendation"""
)
@click.argument("rec_id", callback=key(_RECOMMENDATION_ID_BYTES))
@read_options
@click.pass_obj
def show(runtime: Runtime, /, rec_id: str, **options: Any) -> None:
    """Show one recommendation whole, and verify its digest.

    With -o json this is one object; the lists are arrays.
    """
    from recommendation_cli.reading.run import show_recommendation

    show_recommendation(runtime, rec_id, ReadOptions(**options))


def _list(runtime: Runtime, key: str, value: str, options: dict[str, Any]) -> None:
    from recommendation_cli.reading.run import list_recommendations

    listed = ListOptions.taken_from(options)
    list_recommendations(runtime, key, value, ReadOptions(**options), listed)
