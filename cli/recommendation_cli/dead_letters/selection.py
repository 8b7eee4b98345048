"""Which dead letters a command is about."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from recommendation_cli.dead_letters.letter import POISON, DeadLetter


class Selection(NamedTuple):
    """The filters; one that is empty or None lets everything pass. Moments are sort keys."""

    reasons: frozenset[str] = frozenset()
    incidents: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    sent_since: str | None = None
    sent_until: str | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether every dead letter passes."""
        return self == Selection()

    def passes(self, letter: DeadLetter) -> bool:
        """Tell whether a dead letter passes every filter."""
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.incidents or letter.field("incidentId") in self.incidents)
            and (not self.agents or letter.field("agentType") in self.agents)
            and (self.sent_since is None or letter.sent_key >= self.sent_since)
            and (self.sent_until is None or letter.sent_key <= self.sent_until)
        )


class Guard(NamedTuple):
    """Holds back dead letters that would certainly fail again, unless they are asked for."""

    selection: Selection
    include_poison: bool

    def holds_back(self, letter: DeadLetter) -> bool:
        """Tell whether a dead letter that passes the filters is still to be left where it is."""
        return letter.reason in POISON and not self.include_poison and letter.reason not in self.selection.reasons


@dataclass
class Survey:
    """What was found among dead letters: the number and the oldest of each reason, and how many are poison."""

    counts: Counter[str] = field(default_factory=Counter)
    oldest: dict[str, float] = field(default_factory=dict)  # reason -> epoch seconds
    most_replays: int = 0
    replayed: int = 0

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Count some more."""
        for letter in letters:
            self.counts[letter.reason] += 1
            self.oldest[letter.reason] = min(letter.sent_at, self.oldest.get(letter.reason, letter.sent_at))
            self.most_replays = max(self.most_replays, letter.replays)
            self.replayed += letter.replays > 0

    @property
    def total(self) -> int:
        """How many were counted."""
        return self.counts.total()
