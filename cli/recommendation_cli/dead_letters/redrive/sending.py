"""Sending dead letters to the queue again: write down what is sent, send, see what was sent, write that down."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from recommendation_cli.aws.queues import Sqs
from recommendation_cli.dead_letters.letter import REPLAY_COUNT, DeadLetter, Entry
from recommendation_cli.dead_letters.redrive.journal import Journal
from recommendation_cli.dead_letters.redrive.tally import Tally
from recommendation_shared import limits

NOT_CONFIRMED: Final = "NotConfirmed"


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
class Sender:
    """Sends batches to the queue with that URL."""

    sqs: Sqs
    queue_url: str
    journal: Journal
    pace: Pace
    tally: Tally

    def send(self, batch: dict[str, tuple[DeadLetter, Entry]]) -> list[DeadLetter]:
        """Send one batch (see `replay_batches`); return what the queue has confirmed. Raises botocore's errors."""
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
        return [letter for letter, _ in sent]
