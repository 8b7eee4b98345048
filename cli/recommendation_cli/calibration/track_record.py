"""What people's verdicts say about recommendations, added up one by one."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from recommendation_cli.calibration.judged import Judged, Stated
from recommendation_cli.reviews.review import Review, Subject, Verdict
from recommendation_cli.search.queries import Document

# How good the advice was. The confidence is read as the share of such advice that helps, so half a help is 0.5: the
# squared error is then still smallest for whoever states the true mean. Advice that nobody followed has no outcome.
OUTCOMES: Final[dict[Verdict, float | None]] = {
    Verdict.HELPFUL: 1.0,
    Verdict.PARTLY: 0.5,
    Verdict.WRONG: 0.0,
    Verdict.HARMFUL: 0.0,
    Verdict.NOT_FOLLOWED: None,
}
BINS: Final = 10  # each holds its lower end, and the last also holds 1


def verdicts_by_subject(counting: Iterable[Review]) -> dict[Subject, Verdict]:
    """Return the verdicts on recommendations, from the reviews that count."""
    return {review.subject: review.verdict for review in counting if review.verdict is not None}


def bin_name(number: int) -> str:
    """Return the confidences of a bin, such as `0.8-0.9`."""
    return f"{number / BINS:.1f}-{(number + 1) / BINS:.1f}"


@dataclass(slots=True)
class Dissents:
    """An agent's disagreements with the consensus, where people judged both.

    `wrong` counts those in which the agent's outcome was worse than that of the consensus, and `right` those in which
    it was better.
    """

    count: int = 0
    wrong: int = 0
    _right: list[tuple[str, str]] = field(default_factory=list)  # sort key and ID

    @property
    def right(self) -> int:
        """How often the agent was right against the consensus."""
        return len(self._right)

    @property
    def right_ids(self) -> list[str]:
        """The agent's recommendations that were right, the newest first."""
        return [recommendation_id for _, recommendation_id in sorted(self._right, reverse=True)]

    def add(self, document: Document, outcome: float, consensus: float) -> None:
        """Count what an agent said against the consensus, with the outcomes of both."""
        self.count += 1
        self.wrong += outcome < consensus
        if outcome > consensus:
            self._right.append((str(document.get("timestamp")), str(document.get("recommendationId"))))


@dataclass(slots=True)
class TrackRecord:
    """The verdicts on some recommendations, and how well the agents' confidence foretold them.

    `judged` holds those whose verdict has an outcome, `stated` those of them with a usable confidence, and `bins` the
    latter by confidence.
    """

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    judged: Judged = field(default_factory=Judged)
    stated: Stated = field(default_factory=Stated)
    bins: list[Stated] = field(default_factory=lambda: [Stated() for _ in range(BINS)])
    dissents: Dissents = field(default_factory=Dissents)

    def add(self, verdict: Verdict, confidence: float | None) -> None:
        """Count a recommendation, with its confidence if that is from 0 to 1."""
        self.verdicts[verdict] += 1
        outcome = OUTCOMES[verdict]
        if outcome is None:
            return
        self.judged.count_outcome(outcome)
        if confidence is not None:
            for sums in (self.stated, self.bins[min(int(confidence * BINS), BINS - 1)]):
                sums.count_stated(outcome, confidence)
