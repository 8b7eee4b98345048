"""Read a period of every agent, or an incident, and find what mentions a text."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.read_cost import read_cost
from recommendation_cli.screen.progress import Report
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.agent_types import agent_types
from recommendation_cli.search.projection import TEXTS
from recommendation_cli.search.queries import Document, Listing, Search
from recommendation_cli.search.several import Gather, one_after_another
from recommendation_cli.text_search.matches import Match, matches, pattern_of
from recommendation_shared.wording import plural


class TextQuery(NamedTuple):
    """The text to find: in one incident, or without an ID in the period of `listed`, whose limit counts what is found.

    `whole` asks for whole documents, `now` (epoch seconds) hides what had expired by then; None hides nothing.
    """

    text: str
    incident_id: str | None
    listed: ListOptions
    whole: bool
    now: float | None


class TextSearch:
    """One search, newest first within each agent, or within the incident; iterate over `hits` once.

    `found` counts the recommendations that mention the text so far; `cut_off` says that reading stopped at the limit.
    """

    def __init__(self, client: DynamoDb, table: str, wanted: TextQuery) -> None:
        self.found = 0
        self.cut_off = False
        self._wanted = wanted
        searches = _searches(client, table, wanted)
        self._listings: Sequence[Listing] = [Listing(client, table, search, now=wanted.now) for search in searches]

    def hits(self, report: Report, gather: Gather = one_after_another) -> Iterator[tuple[Document, list[Match]]]:
        """Yield each recommendation that mentions the text, with where it does. `report` is called for each page."""
        pattern = pattern_of(self._wanted.text)
        for listing, batch in gather(self._listings):
            for document in batch:
                here = list(matches(document, pattern))
                if here:
                    self.found += 1
                    yield document, here
                if self.found == self._wanted.listed.limit:
                    self.cut_off = True
                    return
            done = self._listings.index(listing)
            report(f"{self.found:,} found in {plural(self._read, 'recommendation')}", done, len(self._listings))

    @property
    def cost(self) -> str:
        """What reading cost so far, in words."""
        return read_cost(self._read, sum(each.units for each in self._listings))

    def nothing(self) -> str:
        """Return what to say where nothing was found."""
        return f"Nothing mentions {visible(self._wanted.text)!r} ({self.cost}): widen --since, or search for less."

    @property
    def _read(self) -> int:
        return sum(each.read for each in self._listings)


def _searches(client: DynamoDb, table: str, wanted: TextQuery) -> list[Search]:
    listed = wanted.listed
    if wanted.incident_id is None:
        keys = [("agentType", agent) for agent in listed.agents or agent_types(client, table)]
    else:
        keys = [("incidentId", wanted.incident_id)]
    attributes = () if wanted.whole else TEXTS
    period, matching = listed.period(), listed.matching()
    return [Search(*key, period, matching=matching, attributes=attributes) for key in keys]
