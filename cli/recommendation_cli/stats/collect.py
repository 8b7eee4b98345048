"""Read two periods of every agent, the one asked for and the one before it, and add them up."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from recommendation_cli.facts import facts
from recommendation_cli.search.filters import Filter
from recommendation_cli.search.period import Period
from recommendation_cli.search.queries import Document
from recommendation_cli.stats.tally import BUCKETS, Tally
from recommendation_cli.summary import usable_confidence
from recommendation_shared.envelope.identity import parse_instant, sort_key
from recommendation_shared.envelope.vocabulary import CONSENSUS


class Group(NamedTuple):
    """An agent's runs by one version with one model."""

    agent_type: str
    agent_version: str
    model: str


class Span(NamedTuple):
    """A period with both ends."""

    since: datetime
    until: datetime

    def before(self) -> "Span":
        """Return the period of the same length that ends where this one begins."""
        return Span(self.since - (self.until - self.since), self.since - timedelta(microseconds=1))

    def period(self) -> Period:
        """Return it as sort keys."""
        return Period(sort_key(self.since), sort_key(self.until))

    def bucket(self, timestamp: str) -> int | None:
        """Return the part of the period in which a sort key lies; None if it is not a time."""
        try:
            share = (parse_instant(timestamp) - self.since) / (self.until - self.since)
        except ValueError:  # written by hand
            return None
        return min(max(int(share * BUCKETS), 0), BUCKETS - 1)


@dataclass(slots=True)
class Tallies:
    """What was added up: by agent, by group, and of all."""

    agents: dict[str, Tally] = field(default_factory=dict)
    groups: dict[Group, Tally] = field(default_factory=dict)
    everything: Tally = field(default_factory=Tally)
    minorities: dict[str, frozenset[str]] = field(default_factory=dict)  # by the execution that reached a consensus

    def note_consensus(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield consensus documents; note which agents each of them lists among the minority."""
        for document in documents:
            recommendation = document.get("recommendation")
            opinions = recommendation.get("minority_opinions") if isinstance(recommendation, dict) else None
            if isinstance(opinions, list):
                agents = (opinion.get("agent_id") for opinion in opinions if isinstance(opinion, Mapping))
                self.minorities[str(document.get("executionId"))] = frozenset(map(str, agents))
            yield document

    def add(self, documents: Iterable[Document], span: Span, matching: Filter) -> None:
        """Add the documents that match; the consensus must have been noted before its agents are added."""
        for document in documents:
            if not matching.passes(document):
                continue
            agent = str(document.get("agentType"))
            known = facts(document)
            group = Group(agent, known.agent_version or "", known.model or "")
            minority = self.minorities.get(str(document.get("executionId")))
            agrees = None if minority is None or agent == CONSENSUS else agent not in minority
            confidence, bucket = usable_confidence(document), span.bucket(str(document.get("timestamp")))
            for tally in (
                self.everything,
                self.agents.setdefault(agent, Tally()),
                self.groups.setdefault(group, Tally()),
            ):
                tally.add(known, confidence, bucket, agrees=agrees)
