"""Read a period of every agent, and add up its incidents."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from recommendation_cli.aws.connection import DynamoDb, Target
from recommendation_cli.incidents.incident import Incident, newest_first
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.read_cost import read_cost
from recommendation_cli.search.agent_types import agent_types
from recommendation_cli.search.at_once import in_any_order
from recommendation_cli.search.filters import Filter
from recommendation_cli.search.marks import all_marks
from recommendation_cli.search.projection import COUNTED, FILTERED, LISTED
from recommendation_cli.search.queries import Listing, Search
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.item.marks import Mark
from recommendation_shared.wording import plural

Seen = Callable[[Collection[Incident], int], None]
"""Called with the incidents that were met so far, in no order, and how many recommendations were read."""


class FoundIncidents(NamedTuple):
    """The incidents that match, newest first; how many did not, and what reading cost, in words."""

    incidents: Sequence[Incident]
    others: int
    cost: str


def read_incidents(
    client: DynamoDb, table: str, listed: ListOptions, seen: Seen, *, now: float | None
) -> FoundIncidents:
    """Return the incidents of a period; `now` (epoch seconds) hides what had expired by then, None hides nothing.

    `seen` is called after each page of results.
    """
    period, matching = listed.period(), listed.matching()
    counted = COUNTED if matching == Filter() else FILTERED
    searches = [
        Search("agentType", agent, period, whole=False, attributes=LISTED if agent == CONSENSUS else counted)
        for agent in agent_types(client, table)
    ]
    listings = [Listing(client, table, search, now=now) for search in searches]
    found: dict[str, Incident] = {}
    for _, batch in in_any_order(listings):
        for document in batch:
            name, timestamp = str(document.get("incidentId")), str(document.get("timestamp"))
            incident = found.setdefault(name, Incident(name, timestamp, timestamp))
            incident.add(document, matches=matching.passes(document))
        seen(found.values(), sum(each.read for each in listings))
    for mark in all_marks(client, table):
        if isinstance(mark, Mark) and mark.is_held and mark.incident_id in found:
            found[mark.incident_id].hold = mark.hold
    incidents = newest_first(found.values())
    cost = read_cost(sum(each.read for each in listings), sum(each.units for each in listings))
    return FoundIncidents(incidents, len(found) - len(incidents), cost)


def no_incident(found: FoundIncidents, target: Target) -> str:
    """Return what to say where no incident matches."""
    if found.others:
        return f"No incident in that period in {target} matches the filters: {plural(found.others, 'other')} left out."
    return f"No incident in that period in {target}: widen --since, or check --table and --region."
