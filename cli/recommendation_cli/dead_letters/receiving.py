"""Receiving dead letters without taking them from others for longer than needed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

import click

from recommendation_cli.aws.queues import Sqs
from recommendation_cli.dead_letters.letter import DeadLetter
from recommendation_cli.screen.words import plural
from recommendation_shared import limits

MOST_HELD: Final = 100_000  # SQS allows 120,000 messages in flight, other readers' included
_POLL_SECONDS: Final = 1  # any wait at all makes SQS ask all its servers, so that an empty answer means empty
_LEAST_HOLD: Final = 60  # seconds
_MOST_HOLD: Final = 3600
_SCANNED_A_SECOND: Final = 50  # a cautious guess; one round trip brings ten

T = TypeVar("T")


class Depth(NamedTuple):
    """What SQS says of a queue; approximate, as it says itself."""

    arn: str
    visible: int
    in_flight: int
    retention: int  # seconds
    redrives_to: str  # its redrive policy, JSON text, or nothing


def read_depth(sqs: Sqs, url: str) -> Depth:
    """Return how many messages a queue has."""
    found: Mapping[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]).get("Attributes", {})
    visible, in_flight, delayed = (
        int(found.get(f"ApproximateNumberOfMessages{kind}", "0")) for kind in ("", "NotVisible", "Delayed")
    )
    retention = int(found.get("MessageRetentionPeriod", "0"))
    return Depth(found.get("QueueArn", ""), visible + delayed, in_flight, retention, found.get("RedrivePolicy", ""))


def hold_seconds(messages: int, rate: int | None = None) -> int:
    """Return for how long to hide messages so that a look at that many ends before the first comes back."""
    return max(_LEAST_HOLD, min(_MOST_HOLD, messages // min(rate or _SCANNED_A_SECOND, _SCANNED_A_SECOND)))


@dataclass
class Held:
    """What a command has received and not yet deleted. `url` is the queue's, `hold` is in seconds."""

    sqs: Sqs
    url: str
    hold: int
    monotonic: Callable[[], float]

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self._receipts: dict[str, tuple[str, float]] = {}  # message ID -> receipt, and the moment it expires
        self._seen: set[str] = set()
        self.kept_hidden = 0  # messages whose return failed; they come back by themselves
        self.full = False  # no more may be held, although the queue may have more

    @property
    def looked_at(self) -> int:
        """How many dead letters were received."""
        return len(self._seen)

    def receive(self, most: Callable[[], int]) -> Iterator[list[DeadLetter]]:
        """Yield what was not seen before until the queue has no more, or `most` says 0; it is asked before each call.

        What is yielded stays hidden from others until it is deleted, returned, or `hold` has passed.
        """
        again = 0  # messages in a row that were seen before, because their time has passed
        while again <= len(self._receipts) and (wanted := most()) > 0:
            if len(self._receipts) >= MOST_HELD:
                self.full = True
                return
            until = self.monotonic() + self.hold
            messages: list[dict[str, Any]] = self.sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(wanted, limits.SQS_BATCH_ENTRIES),
                VisibilityTimeout=self.hold,
                WaitTimeSeconds=_POLL_SECONDS,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            ).get("Messages", [])
            if not messages:
                return
            letters = {letter.message_id: letter for letter in map(DeadLetter.of, messages)}
            self._receipts |= {key: (letter.receipt, until) for key, letter in letters.items()}
            new = [letter for key, letter in letters.items() if key not in self._seen]
            self._seen |= letters.keys()
            again = 0 if new else again + len(letters)
            if new:
                yield new

    def delete(self, letters: Iterable[DeadLetter]) -> set[str]:
        """Delete messages; return the IDs of those whose deletion SQS confirmed."""
        deleted: set[str] = set()
        for batch in _tens(letters):
            answer = self.sqs.delete_message_batch(
                QueueUrl=self.url,
                Entries=[{"Id": str(n), "ReceiptHandle": letter.receipt} for n, letter in enumerate(batch)],
            )
            deleted |= {batch[int(entry["Id"])].message_id for entry in answer.get("Successful", [])}
        for message_id in deleted:
            self._receipts.pop(message_id, None)
        return deleted

    def give_back(self) -> None:
        """Make visible to others what is still held, except what has become so by itself."""
        now = self.monotonic()
        receipts = [receipt for receipt, until in self._receipts.values() if until > now]
        self._receipts.clear()
        for batch in _tens(receipts):
            answer = self.sqs.change_message_visibility_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": receipt, "VisibilityTimeout": 0} for n, receipt in enumerate(batch)
                ],
            )
            self.kept_hidden += len(answer.get("Failed", []))


@contextmanager
def holding(held: Held) -> Iterator[Held]:
    """Give everything back at the end, however the block ends."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield held
    finally:
        remaining = len(held._receipts)  # noqa: SLF001 - the same file
        try:
            held.give_back()
        except (BotoCoreError, ClientError):
            # The messages come back by themselves, and an error inside the block must not be hidden by this one.
            held.kept_hidden = remaining
        if held.kept_hidden:
            stay = "stays" if held.kept_hidden == 1 else "stay"
            click.echo(
                f"{plural(held.kept_hidden, 'dead letter')} {stay} hidden from others for {held.hold} seconds at most.",
                err=True,
            )


def _tens(things: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(things)
    while batch := list(islice(iterator, limits.SQS_BATCH_ENTRIES)):
        yield batch
