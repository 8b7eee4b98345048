"""Redriving dead letters one by one: send, see that it was sent, delete."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recommendation_cli.dead_letters.letter import DeadLetter, replay_batches
from recommendation_cli.dead_letters.receiving import Held
from recommendation_cli.dead_letters.redrive.sending import Sender
from recommendation_cli.dead_letters.redrive.tally import Choice


@dataclass
class Redrive:
    """One run; the sender's tally says what was done so far."""

    held: Held
    choice: Choice
    sender: Sender

    def run(self, stopped: Callable[[], bool], report: Callable[[int], None]) -> None:
        """Redrive until the queue has no more, the limit is reached or `stopped` says so; raise botocore's errors.

        `report` is told how many are done.
        """
        tally, journal = self.sender.tally, self.sender.journal
        for letters in self.held.receive(lambda: 0 if stopped() or self.choice.is_enough else self.sender.pace.most):
            known = [letter for letter in letters if letter.message_id in journal.sent]
            if known:
                tally.resumed += self._delete(known)
            chosen = [letter for letter in letters if letter not in known and self.choice.takes(letter)]
            for batch in replay_batches(chosen):
                if stopped():
                    return
                tally.sent += self._delete(self.sender.send(batch))
                report(tally.sent)

    @property
    def saw_everything(self) -> bool:
        """Tell whether a run that was not stopped met all that was visible, and deleted all that it had sent."""
        return not (self.choice.is_enough or self.held.full or self.sender.tally.undeleted)

    def _delete(self, letters: Sequence[DeadLetter]) -> int:
        deleted = self.held.delete(letters)
        self.sender.journal.deleted(deleted)
        self.sender.tally.undeleted += len(letters) - len(deleted)
        return len(deleted)
