"""Redriving dead letters one by one: send, see that it was sent, write that down, delete."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cli.dlq_connection import Sqs
from cli.dlq_journal import Journal
from cli.dlq_message import REPLAY_COUNT, DeadLetter, Entry, replay_batches
from cli.dlq_receive import Held
from cli.dlq_selection import Guard
from shared import limits

NOT_CONFIRMED: Final = "NotConfirmed"


@dataclass
class Tally:
    """What became of the dead letters that were looked at; each is counted once, `uncounted` aside."""

    redriven: int = 0
    resumed: int = 0  # sent by an earlier run, and only deleted by this one
    undeleted: int = 0  # sent, and still there: the next run deletes them
    refused: Counter[str] = field(default_factory=Counter)  # SQS's code -> number; still there
    poison: Counter[str] = field(default_factory=Counter)  # reason -> number; left on purpose
    others: int = 0  # the filters do not let them pass
    beyond_limit: int = 0
    uncounted: int = 0  # redriven without a counter, for which they had no room
    doubtful: int = 0  # of those redriven, perhaps sent by an earlier run too


@dataclass
class Pace:
    """At most `rate` messages a second; None is as fast as SQS answers."""

    rate: int | None
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]

    def __post_init__(self) -> None:
        """Let the first ones go at once."""
        self._next = self.monotonic()

    @property
    def most(self) -> int:
        """How many may be sent together."""
        return min(self.rate or limits.SQS_BATCH_ENTRIES, limits.SQS_BATCH_ENTRIES)

    def wait(self, messages: int) -> None:
        """Return when that many may be sent; they are few enough to take no longer than a second."""
        now = self.monotonic()
        if self._next > now:
            self.sleep(self._next - now)
        if self.rate is not None:
            self._next = max(self._next, now) + messages / self.rate


@dataclass
class Redrive:
    """One run; `queue_url` is where dead letters go, `limit` how many at most. `tally` says what was done so far."""

    sqs: Sqs
    queue_url: str
    held: Held
    journal: Journal
    guard: Guard
    pace: Pace
    limit: int | None

    def __post_init__(self) -> None:
        """Begin with nothing done."""
        self.tally = Tally()
        self._chosen = 0

    def run(self, stopped: Callable[[], bool], report: Callable[[int], None]) -> None:
        """Redrive until the queue has no more, the limit is reached or `stopped` says so; raise botocore's errors.

        `report` is told how many are done.
        """
        for letters in self.held.receive(lambda: 0 if stopped() or self._is_enough() else self.pace.most):
            known = [letter for letter in letters if letter.message_id in self.journal.sent]
            if known:
                self.tally.resumed += self._delete(known)
            chosen = [letter for letter in letters if letter not in known and self._choose(letter)]
            for batch in replay_batches(chosen):
                if stopped():
                    return
                self._redrive(batch)
                report(self.tally.redriven)

    @property
    def saw_everything(self) -> bool:
        """Tell whether a run that was not stopped met all that was visible, and deleted all that it had sent."""
        return not (self._is_enough() or self.held.full or self.tally.undeleted)

    def _is_enough(self) -> bool:
        return self._chosen == self.limit

    def _choose(self, letter: DeadLetter) -> bool:
        if not self.guard.selection.passes(letter):
            self.tally.others += 1
        elif self.guard.holds_back(letter):
            self.tally.poison[letter.reason] += 1
        elif self._is_enough():
            self.tally.beyond_limit += 1
        else:
            self._chosen += 1
            return True
        return False

    def _redrive(self, batch: dict[str, tuple[DeadLetter, Entry]]) -> None:
        self.pace.wait(len(batch))
        in_doubt = {letter.message_id for letter, _ in batch.values()} & self.journal.in_doubt
        self.journal.sending(letter.message_id for letter, _ in batch.values())
        answer = self.sqs.send_message_batch(QueueUrl=self.queue_url, Entries=[entry for _, entry in batch.values()])
        # An HTTP 200 may carry failed entries. Only what is named as successful counts as sent.
        confirmed = {entry["Id"]: str(entry.get("MessageId", "")) for entry in answer.get("Successful", [])}
        codes = {entry["Id"]: str(entry.get("Code", NOT_CONFIRMED)) for entry in answer.get("Failed", [])}
        sent = [batch[entry_id] for entry_id in confirmed if entry_id in batch]
        refused = {entry_id: letter for entry_id, (letter, _) in batch.items() if entry_id not in confirmed}
        self.journal.answered(
            {batch[entry_id][0].message_id: new for entry_id, new in confirmed.items() if entry_id in batch},
            # One that the answer does not name at all stays in doubt.
            [letter.message_id for entry_id, letter in refused.items() if entry_id in codes],
        )
        self.tally.refused.update(codes.get(entry_id, NOT_CONFIRMED) for entry_id in refused)
        self.tally.uncounted += sum(REPLAY_COUNT not in entry.get("MessageAttributes", {}) for _, entry in sent)
        self.tally.doubtful += sum(letter.message_id in in_doubt for letter, _ in sent)
        self.tally.redriven += self._delete([letter for letter, _ in sent])

    def _delete(self, letters: Sequence[DeadLetter]) -> int:
        deleted = self.held.delete(letters)
        self.journal.deleted(deleted)
        self.tally.undeleted += len(letters) - len(deleted)
        return len(deleted)
