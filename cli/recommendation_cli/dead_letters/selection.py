"""Which dead letters a command concerns, and what a replay does with each of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from recommendation_cli.dead_letters.letter import DeadLetter


class Selection(NamedTuple):
    """The filters; an empty one, or None, matches everything. Times are sort keys, both inclusive."""

    reasons: frozenset[str] = frozenset()
    incidents: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    sent_since: str | None = None
    sent_until: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether there are no filters."""
        return self == Selection()

    def matches(self, letter: DeadLetter) -> bool:
        """Return whether a dead letter matches every filter."""
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.incidents or letter.field("incidentId") in self.incidents)
            and (not self.agents or letter.field("agentType") in self.agents)
            and (self.sent_since is None or letter.sent_key >= self.sent_since)
            and (self.sent_until is None or letter.sent_key <= self.sent_until)
        )


class Fate(Enum):
    """The outcome that a replay chooses for a dead letter."""

    SEND = auto()
    LEAVE_POISON = auto()
    LEAVE_UNMATCHED = auto()


class Triage(NamedTuple):
    """Decides the fate of dead letters: poison is left unless it is asked for, as it would fail again."""

    selection: Selection
    include_poison: bool

    def fate(self, letter: DeadLetter) -> Fate:
        """Return what to do with a dead letter. Naming its reason as a filter asks for poison too."""
        if not self.selection.matches(letter):
            return Fate.LEAVE_UNMATCHED
        if letter.is_poison and not self.include_poison and letter.reason not in self.selection.reasons:
            return Fate.LEAVE_POISON
        return Fate.SEND


@dataclass
class Survey:
    """Statistics of dead letters: the number and the oldest of each reason, and how many were replayed before."""

    counts: Counter[str] = field(default_factory=Counter)
    oldest: dict[str, float] = field(default_factory=dict)  # reason -> epoch seconds
    most_replays: int = 0
    replayed: int = 0

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Include more dead letters."""
        for letter in letters:
            self.counts[letter.reason] += 1
            self.oldest[letter.reason] = min(letter.sent_at, self.oldest.get(letter.reason, letter.sent_at))
            self.most_replays = max(self.most_replays, letter.replays)
            self.replayed += letter.replays > 0

    @property
    def total(self) -> int:
        """How many were included."""
        return self.counts.total()
