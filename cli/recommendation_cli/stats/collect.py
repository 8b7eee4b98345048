"""Adding up what every agent did in a period, and what people said about it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from recommendation_cli.calibration.track_record import OUTCOMES, TrackRecord
from recommendation_cli.facts import facts
from recommendation_cli.reviews.review import Subject, Verdict
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


class _Conclusion(NamedTuple):
    """When a consensus was reached, which agents it overruled, and how good it was; None if no verdict says so."""

    at: str
    minority: frozenset[str]
    outcome: float | None


@dataclass(slots=True)
class Tallies:
    """What was added up: by agent, by group, and of all; `verdicts` are people's."""

    verdicts: Mapping[Subject, Verdict] = field(default_factory=dict)
    agents: dict[str, Tally] = field(default_factory=dict)
    groups: dict[Group, Tally] = field(default_factory=dict)
    everything: Tally = field(default_factory=Tally)
    _conclusions: dict[str, _Conclusion] = field(default_factory=dict)  # by execution

    def note_consensus(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield consensus documents; note which agents each of them lists among the minority, and how good it was.

        If an execution has several, the latest counts, whatever their order.
        """
        for document in documents:
            recommendation = document.get("recommendation")
            opinions = recommendation.get("minority_opinions") if isinstance(recommendation, dict) else None
            if isinstance(opinions, list):
                agents = (opinion.get("agent_id") for opinion in opinions if isinstance(opinion, Mapping))
                conclusion = _Conclusion(
                    str(document.get("timestamp")), frozenset(map(str, agents)), self._outcome(document)
                )
                other = self._conclusions.setdefault(str(document.get("executionId")), conclusion)
                if other.at < conclusion.at:
                    self._conclusions[str(document.get("executionId"))] = conclusion
            yield document

    def add(self, documents: Iterable[Document], span: Span, matching: Filter) -> None:
        """Add the documents that match; the consensus must have been noted before its agents are added."""
        for document in documents:
            if not matching.passes(document):
                continue
            agent = str(document.get("agentType"))
            known = facts(document)
            group = Group(agent, known.agent_version or "", known.model or "")
            conclusion = None if agent == CONSENSUS else self._conclusions.get(str(document.get("executionId")))
            agrees = None if conclusion is None else agent not in conclusion.minority
            confidence, bucket = usable_confidence(document), span.bucket(str(document.get("timestamp")))
            for tally in (
                self.everything,
                self.agents.setdefault(agent, Tally()),
                self.groups.setdefault(group, Tally()),
            ):
                tally.add(known, confidence, bucket, agrees=agrees)
                self._review(tally.track, document, confidence, None if agrees else conclusion)

    def _review(
        self, track: TrackRecord, document: Document, confidence: float | None, overruled_by: _Conclusion | None
    ) -> None:
        """Add the verdict on a document, if there is one, and compare it with that on what overruled it."""
        verdict = self._verdict(document)
        if verdict is None:
            return
        track.add(verdict, confidence)
        outcome = OUTCOMES[verdict]
        if overruled_by is not None and overruled_by.outcome is not None and outcome is not None:
            track.dissents.add(document, outcome, overruled_by.outcome)

    def _verdict(self, document: Document) -> Verdict | None:
        return self.verdicts.get(Subject(str(document.get("incidentId")), str(document.get("recommendationId"))))

    def _outcome(self, document: Document) -> float | None:
        verdict = self._verdict(document)
        return None if verdict is None else OUTCOMES[verdict]
