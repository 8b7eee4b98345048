"""`recs incident`, `agent`, `execution` and `show`. Their code is imported when they run, so that help is instant."""

from typing import Final

import click

from recommendation_cli.completion import complete_agents
from recommendation_cli.options import (
    ListOptions,
    ReadOptions,
    confidence_option,
    key,
    limit_option,
    list_options,
    options_as,
    period_options,
    read_options,
)
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits

_RECOMMENDATION_ID_BYTES: Final = 2048  # DynamoDB's limit for a partition key


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
def incident(runtime: Runtime, read: ReadOptions, listed: ListOptions, /, incident_id: str) -> None:
    """List an incident's recommendations, grouped by execution."""
    from recommendation_cli.reading.run import list_recommendations

    list_recommendations(runtime, "incidentId", incident_id, read, listed)


@click.command(
    epilog="""\b
Examples:
  recs agent consensus --limit 20
  recs agent risk-blast-radius --since 7d -o csv > week.csv
  recs agent consensus --since 24h --min-confidence 0.8"""
)
@click.argument("agent_type", callback=key(limits.AGENT_TYPE_BYTES), shell_complete=complete_agents)
@options_as(ListOptions, limit_option, period_options, confidence_option)
@read_options
@click.pass_obj
def agent(runtime: Runtime, read: ReadOptions, listed: ListOptions, /, agent_type: str) -> None:
    """List an agent's recommendations across all incidents."""
    from recommendation_cli.reading.run import list_recommendations

    list_recommendations(runtime, "agentType", agent_type, read, listed)


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
def execution(runtime: Runtime, read: ReadOptions, listed: ListOptions, /, execution_id: str) -> None:
    """List an execution's recommendations."""
    from recommendation_cli.reading.run import list_recommendations

    list_recommendations(runtime, "executionId", execution_id, read, listed)


@click.command(
    epilog="""\b
Examples:
  recs show rec-incident-7-consensus-2026-01-31T12:00:00Z
  recs show rec-incident-7-consensus-2026-01-31T12:00:00Z -o json | jq .recommendation"""
)
@click.argument("rec_id", callback=key(_RECOMMENDATION_ID_BYTES))
@read_options
@click.pass_obj
def show(runtime: Runtime, read: ReadOptions, /, rec_id: str) -> None:
    """Show one recommendation in full and verify its digest.

    With -o json the output is a single object; the commands that list print an array.
    """
    from recommendation_cli.reading.run import show_recommendation

    show_recommendation(runtime, rec_id, read)
