"""`recs stats`. Its code is imported when it runs, so that help is instant."""

import click

from recommendation_cli.options.declaring import options_as
from recommendation_cli.options.listing import (
    ListOptions,
    agents_option,
    filter_options,
    period_options,
    since_by_default,
)
from recommendation_cli.options.table import ReadOptions, read_options
from recommendation_cli.runtime import Runtime


@click.command(
    epilog="""\b
Examples:
  recs stats
  recs stats --since 7d --agent knowledge-rag
  recs stats --since 2026-01-01 --until 2026-01-31 -o csv > january.csv"""
)
@options_as(ListOptions, period_options, agents_option(), filter_options)
@read_options
@click.pass_obj
def stats(runtime: Runtime, read: ReadOptions, listed: ListOptions, /) -> None:
    """Show how the agents did over time.

    The period is the last 30 days, unless --since is given. For each agent, and for each version and model of it:
    how many recommendations, how many failed (any status but success) and timed out; the median confidence, its
    quartiles and its course; how often the consensus does not list the agent among the minority; how long it took
    (p50, p95); tokens and dollars. The last column compares with the period of the same length before, which is
    read too.

    Where people reviewed what agents said, it also shows how much of it helped, with 95 % intervals, how well the
    stated confidence predicted that, and who was right against the consensus.
    """
    from recommendation_cli.stats.run import show_stats

    show_stats(runtime, read, since_by_default(runtime, listed, "30d"))
