"""Sending dead letters to the queue again: choose, record the intention, send, record the confirmation, count."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from recommendation_cli.aws.queues import Sqs
from recommendation_cli.dead_letters.letter import Batch, DeadLetter
from recommendation_cli.dead_letters.replay.counts import ReplayCounts
from recommendation_cli.dead_letters.replay.journal import Journal
from recommendation_cli.dead_letters.replay.pace import Pace
from recommendation_cli.dead_letters.selection import Fate, Triage
from recommendation_shared.aws_errors import NOT_CONFIRMED
from recommendation_shared.queue.dead_letter import REPLAY_COUNT


@dataclass
class Replay:
    """One run of a redrive or restore: sends what `triage` chooses, at most `limit`, to the queue at `queue_url`."""

    sqs: Sqs
    queue_url: str
    journal: Journal
    pace: Pace
    triage: Triage
    limit: int | None
    counts: ReplayCounts = field(default_factory=ReplayCounts)

    def __post_init__(self) -> None:
        """Start with none chosen."""
        self._chosen = 0

    @property
    def has_reached_limit(self) -> bool:
        """Whether no more dead letters may be chosen."""
        return self._chosen == self.limit

    def sent_earlier(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        """Return those that the journal says were sent by an earlier run."""
        return [letter for letter in letters if letter.message_id in self.journal.sent]

    def choose(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        """Return the dead letters to send, and count the others by why they are left; ignore those sent earlier."""
        return [letter for letter in letters if letter.message_id not in self.journal.sent and self._takes(letter)]

    def _takes(self, letter: DeadLetter) -> bool:
        match self.triage.fate(letter):
            case Fate.LEAVE_UNMATCHED:
                self.counts.unmatched += 1
            case Fate.LEAVE_POISON:
                self.counts.poison[letter.reason] += 1
            case _ if self.has_reached_limit:
                self.counts.beyond_limit += 1
            case _:
                self._chosen += 1
                return True
        return False

    def send(self, batch: Batch) -> list[DeadLetter]:
        """Send one batch; return the dead letters that the queue confirmed. Raises botocore's errors."""
        self.pace.wait(len(batch))
        message_ids = [letter.message_id for letter, _ in batch.values()]
        in_doubt = self.journal.in_doubt.intersection(message_ids)
        self.journal.sending(message_ids)
        response = self.sqs.send_message_batch(QueueUrl=self.queue_url, Entries=[entry for _, entry in batch.values()])
        # A response with HTTP 200 may list failed entries. Only what it lists as successful counts as sent.
        confirmed = {
            entry["Id"]: str(entry.get("MessageId", ""))
            for entry in response.get("Successful", [])
            if entry["Id"] in batch
        }
        codes = {entry["Id"]: str(entry.get("Code", NOT_CONFIRMED)) for entry in response.get("Failed", [])}
        refused = {entry_id: letter for entry_id, (letter, _) in batch.items() if entry_id not in confirmed}
        self.journal.answered(
            {batch[entry_id][0].message_id: new_id for entry_id, new_id in confirmed.items()},
            # A message that the response does not mention at all stays in doubt.
            [letter.message_id for entry_id, letter in refused.items() if entry_id in codes],
        )
        sent = [batch[entry_id] for entry_id in confirmed]
        self.counts.refused.update(codes.get(entry_id, NOT_CONFIRMED) for entry_id in refused)
        self.counts.without_counter += sum(REPLAY_COUNT not in entry.get("MessageAttributes", {}) for _, entry in sent)
        self.counts.in_doubt += sum(letter.message_id in in_doubt for letter, _ in sent)
        return [letter for letter, _ in sent]
