"""Which dead letters are sent again, and what becomes of all of them."""

from collections import Counter
from dataclasses import dataclass, field

from recommendation_cli.dead_letters.letter import DeadLetter
from recommendation_cli.dead_letters.selection import Guard


@dataclass
class Tally:
    """What became of the dead letters that were looked at; each is counted once, `uncounted` and `doubtful` aside."""

    sent: int = 0  # by this run, and, in a redrive, deleted too
    resumed: int = 0  # sent by an earlier run
    undeleted: int = 0  # sent, and still there: the next run deletes them
    refused: Counter[str] = field(default_factory=Counter)  # SQS's code -> number; still there
    poison: Counter[str] = field(default_factory=Counter)  # reason -> number; left on purpose
    others: int = 0  # the filters do not let them pass
    beyond_limit: int = 0
    uncounted: int = 0  # sent without a counter, for which they had no room
    doubtful: int = 0  # of those sent, perhaps sent by an earlier run too


@dataclass
class Choice:
    """Decides which are sent, `limit` at most, and counts in `tally` why the others are not."""

    guard: Guard
    limit: int | None
    tally: Tally

    def __post_init__(self) -> None:
        """Begin with none."""
        self._chosen = 0

    @property
    def is_enough(self) -> bool:
        """Whether no more may be chosen."""
        return self._chosen == self.limit

    def takes(self, letter: DeadLetter) -> bool:
        """Tell whether a dead letter is to be sent, and count it."""
        if not self.guard.selection.passes(letter):
            self.tally.others += 1
        elif self.guard.holds_back(letter):
            self.tally.poison[letter.reason] += 1
        elif self.is_enough:
            self.tally.beyond_limit += 1
        else:
            self._chosen += 1
            return True
        return False
