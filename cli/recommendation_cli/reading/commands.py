"""`recs incident`, `agent`, `execution` and `show`. Their code is imported when they run, so that help is instant."""

import click

from recommendation_cli.completion import complete_agents
from recommendation_cli.options.declaring import options_as
from recommendation_cli.options.keys import RECOMMENDATION_ID_BYTES, keys_argument
from recommendation_cli.options.listing import (
    FollowOptions,
    ListOptions,
    filter_options,
    follow_options,
    limit_option,
    list_options,
    period_options,
)
from recommendation_cli.options.table import ReadOptions, read_options
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits


@click.command(
    epilog="""\b
Examples:
  recs incident incident-aws-s3-2017-02-28
  recs incident incident-7 --since 2026-01-31 --until 2026-02-01
  recs incident incident-7 --since 12:00 --agent consensus --agent knowledge-rag
  recs incident incident-7 incident-8 --failed
  recs incident incident-7 --follow --until-consensus
  recs incident incident-7 -o json > incident-7.json"""
)
@keys_argument("incident_ids", limits.ID_BYTES)
@list_options
@follow_options
@read_options
@click.pass_obj
def incident(
    runtime: Runtime, read: ReadOptions, following: FollowOptions, listed: ListOptions, /, incident_ids: tuple[str, ...]
) -> None:
    """List an incident's recommendations, grouped by execution.

    Several IDs are listed one after another, and - reads IDs from standard input, one a line. With --follow it
    polls the incident every second: at least half a read unit each time, and at most 20 read units a second on
    average, which is $0.009 an hour. An incident of up to 160 KB is read whole each time; a larger one is read
    whole only as often as that allows, and its newest part every second.
    """
    if following:
        if len(incident_ids) > 1 or listed.limit is not None:
            raise click.UsageError("--follow takes one incident, and no --limit.")
        from recommendation_cli.follow.run import follow_incident

        follow_incident(runtime, incident_ids[0], read, listed, until_consensus=following.until_consensus)
        return
    from recommendation_cli.reading.run import list_recommendations

    list_recommendations(runtime, "incidentId", incident_ids, read, listed)


@click.command(
    epilog="""\b
Examples:
  recs agent consensus --limit 20
  recs agent risk-blast-radius --since 7d -o csv > week.csv
  recs agent consensus --since 24h --min-confidence 0.8"""
)
@keys_argument("agent_types", limits.AGENT_TYPE_BYTES, complete_agents)
@options_as(ListOptions, limit_option, period_options, filter_options)
@read_options
@click.pass_obj
def agent(runtime: Runtime, read: ReadOptions, listed: ListOptions, /, agent_types: tuple[str, ...]) -> None:
    """List an agent's recommendations across all incidents."""
    from recommendation_cli.reading.run import list_recommendations

    list_recommendations(runtime, "agentType", agent_types, read, listed)


@click.command(
    epilog="""\b
Examples:
  recs execution exec-42
  recs execution exec-42 -o jsonl | jq -r .reasoning"""
)
@keys_argument("execution_ids", limits.ID_BYTES)
@list_options
@read_options
@click.pass_obj
def execution(runtime: Runtime, read: ReadOptions, listed: ListOptions, /, execution_ids: tuple[str, ...]) -> None:
    """List an execution's recommendations."""
    from recommendation_cli.reading.run import list_recommendations

    list_recommendations(runtime, "executionId", execution_ids, read, listed)


@click.command(
    epilog="""\b
Examples:
  recs show rec-incident-7-consensus-2026-01-31T12:00:00Z
  recs show rec-incident-7-consensus-2026-01-31T12:00:00Z -o json | jq .recommendation
  recs incident incident-7 --failed -o jsonl | jq -r .recommendationId | recs show -"""
)
@keys_argument("rec_ids", RECOMMENDATION_ID_BYTES)
@read_options
@click.pass_obj
def show(runtime: Runtime, read: ReadOptions, /, rec_ids: tuple[str, ...]) -> None:
    """Show a recommendation in full and verify its digest.

    Several IDs are shown one after another, and - reads IDs from standard input, one a line. With -o json, one ID
    gives a single object and several give an array, as the commands that list do.
    """
    from recommendation_cli.reading.run import show_recommendations

    show_recommendations(runtime, rec_ids, read)
