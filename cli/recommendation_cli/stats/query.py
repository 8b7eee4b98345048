"""Read two periods of every agent, the one asked for and the one before it, and add them up."""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

import click

from recommendation_cli.aws.connection import DynamoDb, Target
from recommendation_cli.calibration.track_record import verdicts_by_subject
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.read_cost import read_cost
from recommendation_cli.reviews.beside import ReviewsBeside
from recommendation_cli.screen.progress import Report
from recommendation_cli.search.agent_types import agent_types
from recommendation_cli.search.at_once import in_any_order
from recommendation_cli.search.projection import JUDGED, MEASURED
from recommendation_cli.search.queries import Listing, Search
from recommendation_cli.stats.collect import Span, Tallies
from recommendation_shared.envelope.identity import EPOCH, parse_instant, sort_key
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.wording import plural


class Statistics(NamedTuple):
    """The period, the one before it, and what reading both cost, in words."""

    now: Tallies
    before: Tallies
    cost: str


def span_of(listed: ListOptions, now: float) -> Span:
    """Return the period to add up, which ends `now` (epoch seconds) unless it has an end of its own."""
    period = listed.period()
    until = EPOCH + timedelta(seconds=now) if period.until is None else parse_instant(period.until)
    if period.since is None:
        raise click.UsageError("Statistics need a beginning: give --since too.")
    since = parse_instant(period.since)
    if since >= until:
        raise click.UsageError("--since must be in the past.")
    span = Span(since, until)
    try:
        span.before()
    except OverflowError:
        raise click.UsageError("--since is too early: the period of the same length before it is read too.") from None
    return span


def read_statistics(  # noqa: PLR0913 - the table, what to read of it, and how
    client: DynamoDb,
    table: str,
    span: Span,
    listed: ListOptions,
    report: Report,
    *,
    now: float | None,
    reviews: ReviewsBeside,
) -> Statistics:
    """Return the statistics of a period, and people's verdicts on it if they can be read.

    `now` (epoch seconds) hides what had expired by then, None hides nothing.
    """
    # A review is written after what it is about.
    verdicts = verdicts_by_subject(reviews.since(sort_key(span.before().since)).counting())
    agents = {CONSENSUS, *(listed.agents or agent_types(client, table))}
    every: list[Listing] = []
    added = Tallies(verdicts), Tallies(verdicts)
    for tallies, part in zip(added, (span, span.before()), strict=True):
        for types in ({CONSENSUS}, agents - {CONSENSUS}):  # the consensus says which agents disagreed with it
            listings = _listings(client, table, types, part, now)
            every += listings
            for listing, batch in in_any_order(listings):
                documents = tallies.note_consensus(batch) if listing.search.value == CONSENSUS else batch
                tallies.add(documents, part, listed.matching())
                report(f"read {plural(sum(each.read for each in every), 'recommendation')}", 0, None)
    return Statistics(*added, read_cost(sum(each.read for each in every), sum(each.units for each in every)))


def _listings(client: DynamoDb, table: str, types: Iterable[str], span: Span, now: float | None) -> list[Listing]:
    searches = [
        Search("agentType", agent, span.period(), whole=False, attributes=JUDGED if agent == CONSENSUS else MEASURED)
        for agent in sorted(types)
    ]
    return [Listing(client, table, search, now=now) for search in searches]


def nothing_to_add_up(target: Target) -> str:
    """Return what to say where the period has no recommendation."""
    return f"No recommendation in that period in {target}: widen --since, or check --table."
