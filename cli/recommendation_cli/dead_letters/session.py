"""One command's work with a queue: connect, count, receive and hide, delete, and return the rest to the queue."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple, Self, TypeVar

import click

from recommendation_cli.aws.queues import QueueTarget, Sqs
from recommendation_cli.dead_letters.errors import explained_queue
from recommendation_cli.dead_letters.letter import DeadLetter
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import count_progress
from recommendation_cli.screen.visible import visible
from recommendation_shared import limits
from recommendation_shared.wording import plural

MOST_HELD: Final = 100_000  # SQS allows 120,000 messages in flight, including those of other readers
_POLL_SECONDS: Final = 1  # any wait makes SQS query all its servers, so that an empty response means an empty queue
_LEAST_HOLD: Final = 60  # seconds
_MOST_HOLD: Final = 3600
_SCANNED_PER_SECOND: Final = 50  # a cautious guess; one round trip brings ten

T = TypeVar("T")


class Depth(NamedTuple):
    """A queue's attributes; SQS's message counts are approximate."""

    arn: str
    visible: int
    in_flight: int
    retention: int  # seconds
    redrive_policy: str  # JSON text, or empty

    @property
    def in_flight_note(self) -> str:
        """A note to append to a message about too few dead letters; empty when no messages are in flight."""
        return f" ({self.in_flight:,} in flight, hidden by another reader)" if self.in_flight else ""


@dataclass
class QueueSession:
    """A queue, connected, with its depth at the start."""

    runtime: Runtime
    target: QueueTarget
    sqs: Sqs
    depth: Depth

    @classmethod
    def open(cls, runtime: Runtime, target: QueueTarget) -> Self:
        """Connect and read the depth. Raises click's errors, each with its remedy."""
        with explained_queue(target):
            sqs = runtime.connect_queues(target)
            return cls(runtime, target, sqs, _read_depth(sqs, target.url))

    @property
    def name(self) -> str:
        """The queue's name, safe to print."""
        return visible(self.target.name)

    def nothing_matches(self, received: int) -> str:
        """Return the sentence that says why there is no dead letter to show or to move."""
        note = self.depth.in_flight_note
        if received:
            return f"No dead letter in the {self.target} matches the filters ({received:,} inspected){note}."
        return f"{'No dead letter is visible' if note else 'There are no dead letters'} in the {self.target}{note}."

    def read_depth(self, url: str) -> Depth:
        """Return another queue's depth. Raises botocore's errors."""
        return _read_depth(self.sqs, url)

    def explained(self) -> AbstractContextManager[None]:
        """Turn botocore's errors within a block into click's, each with its remedy."""
        return explained_queue(self.target)

    def progress(self, verb: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Show progress on stderr; see `count_progress`."""
        return count_progress(self.runtime.environ, verb, self.runtime.monotonic)

    @contextmanager
    def hold(
        self, hold: int | None = None, *, expected: int | None = None, rate: int | None = None
    ) -> Iterator["Held"]:
        """Yield what receives and deletes messages; return the rest to the queue when the block ends in any way.

        `hold` is for how many seconds received messages stay hidden from other readers. Without it, that is long
        enough to receive `expected` messages (None: the whole queue) at `rate` messages a second (None: unlimited).
        """
        from botocore.exceptions import BotoCoreError, ClientError

        seconds = hold or hold_seconds(self.depth.visible if expected is None else expected, rate)
        held = Held(self.sqs, self.target.url, seconds, self.runtime.monotonic)
        with self.explained():
            try:
                yield held
            finally:
                remaining = held.count
                try:
                    held.return_all()
                except (BotoCoreError, ClientError):
                    # They become visible again on their own, and this error must not replace one from the block.
                    held.not_returned = remaining
                if held.not_returned:
                    stay = "stays" if held.not_returned == 1 else "stay"
                    number = plural(held.not_returned, "dead letter")
                    click.echo(f"{number} {stay} hidden from others for at most {plural(seconds, 'second')}.", err=True)


def _read_depth(sqs: Sqs, url: str) -> Depth:
    attributes: Mapping[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]).get("Attributes", {})
    visible_now, in_flight, delayed = (
        int(attributes.get(f"ApproximateNumberOfMessages{kind}", "0")) for kind in ("", "NotVisible", "Delayed")
    )
    retention = int(attributes.get("MessageRetentionPeriod", "0"))
    policy = attributes.get("RedrivePolicy", "")
    return Depth(attributes.get("QueueArn", ""), visible_now + delayed, in_flight, retention, policy)


def hold_seconds(messages: int, rate: int | None = None) -> int:
    """Return for how long to hide messages so that all of them are received before the first becomes visible again."""
    pace = min(rate or _SCANNED_PER_SECOND, _SCANNED_PER_SECOND)
    return max(_LEAST_HOLD, min(_MOST_HOLD, messages // pace))


class Held:
    """The messages that a command has received and not yet deleted. Every method raises botocore's errors."""

    def __init__(self, sqs: Sqs, url: str, hold: int, monotonic: Callable[[], float]) -> None:
        self._sqs = sqs
        self._url = url
        self._monotonic = monotonic
        self._receipts: dict[str, tuple[str, float]] = {}  # message ID -> receipt, and when it expires
        self._seen: set[str] = set()
        self.hold = hold  # seconds
        self.not_returned = 0  # messages that SQS did not make visible again; they become so on their own
        self.is_full = False  # no more messages may be held, although the queue may have more

    @property
    def count(self) -> int:
        """How many messages are held."""
        return len(self._receipts)

    @property
    def received(self) -> int:
        """How many different messages were received."""
        return len(self._seen)

    def receive(self, wanted: Callable[[], int]) -> Iterator[list[DeadLetter]]:
        """Yield new messages until the queue has no more, or `wanted`, called before each receive, returns 0.

        They stay hidden from others until they are deleted or returned, or the hold has passed.
        """
        repeated = 0  # messages in a row that were received before, because their hold has passed
        while repeated <= len(self._receipts) and (most := wanted()) > 0:
            if len(self._receipts) >= MOST_HELD:
                self.is_full = True
                return
            expires = self._monotonic() + self.hold
            messages: list[dict[str, Any]] = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(most, limits.SQS_BATCH_ENTRIES),
                VisibilityTimeout=self.hold,
                WaitTimeSeconds=_POLL_SECONDS,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            ).get("Messages", [])
            if not messages:
                return
            letters = {letter.message_id: letter for letter in map(DeadLetter.of, messages)}
            self._receipts |= {key: (letter.receipt, expires) for key, letter in letters.items()}
            new = [letter for key, letter in letters.items() if key not in self._seen]
            self._seen |= letters.keys()
            repeated = 0 if new else repeated + len(letters)
            if new:
                yield new

    def delete(self, letters: Iterable[DeadLetter]) -> set[str]:
        """Delete messages; return the IDs of those whose deletion SQS confirmed."""
        deleted: set[str] = set()
        for batch in _tens(letters):
            response = self._sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[{"Id": str(n), "ReceiptHandle": letter.receipt} for n, letter in enumerate(batch)],
            )
            deleted |= {batch[int(entry["Id"])].message_id for entry in response.get("Successful", [])}
        for message_id in deleted:
            self._receipts.pop(message_id, None)
        return deleted

    def return_all(self) -> None:
        """Make the messages that are still held visible again; an expired receipt needs no call."""
        now = self._monotonic()
        receipts = [receipt for receipt, expires in self._receipts.values() if expires > now]
        self._receipts.clear()
        for batch in _tens(receipts):
            response = self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": receipt, "VisibilityTimeout": 0} for n, receipt in enumerate(batch)
                ],
            )
            self.not_returned += len(response.get("Failed", []))


def _tens(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, limits.SQS_BATCH_ENTRIES)):
        yield batch
