"""`recs follow`. Its code is imported when it runs, so that help is instant."""

import click

from recommendation_cli.options.declaring import options_as
from recommendation_cli.options.listing import (
    ListOptions,
    agents_option,
    filter_options,
    period_options,
    until_consensus_option,
)
from recommendation_cli.options.table import ReadOptions, read_options
from recommendation_cli.runtime import Runtime


@click.command(
    epilog="""\b
Examples:
  recs follow
  recs follow --since 10m --failed
  recs follow --agent consensus -o jsonl | jq -r .incidentId"""
)
@options_as(ListOptions, period_options, agents_option(), filter_options)
@until_consensus_option
@read_options
@click.pass_obj
def follow(runtime: Runtime, read: ReadOptions, listed: ListOptions, /, *, until_consensus: bool) -> None:
    """Show new recommendations as they are stored.

    They are those of every incident, each within 2 seconds, until Ctrl-C. The command polls the index of every
    agent, and the list of agents, each second. That costs at least half a read unit for each: with seven agents 14,400
    an hour, or $0.0018.
    What is stored more than a day after its agent completed, such as by a late redrive, is not shown.
    """
    from recommendation_cli.follow.run import follow_everything

    follow_everything(runtime, read, listed, until_consensus=until_consensus)
