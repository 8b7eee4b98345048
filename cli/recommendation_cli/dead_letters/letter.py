"""One dead letter: what SQS and the consumer say about it, and the message it becomes when it is redriven."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Final, Self

from recommendation_shared import limits
from recommendation_shared.envelope.identity import EPOCH, sort_key
from recommendation_shared.exact_json.parse import JsonError, parse_json

RETRIES_EXHAUSTED: Final = "RetriesExhausted"
REPLAY_COUNT: Final = "replayCount"

# Reasons of the consumer that no retry overcomes, with what comes of a redrive.
POISON: Final = {
    "InvalidJson": "would come back: not JSON",
    "InvalidEnvelope": "would come back: breaks the contract",
    "IdMismatch": "would come back: not its content's ID",
    "IdConflict": "would come back: another one has its ID",
    "ItemRejected": "would come back: DynamoDB refuses it",
}

# Amazon SQS Developer Guide, "Message attributes"; limits.SQS_REQUEST_BYTES counts them too.
ATTRIBUTES: Final = 10
_TRACE: Final = "AWSTraceHeader"  # the one system attribute that may be sent
_PARTS: Final = ("DataType", "StringValue", "BinaryValue")

Entry = dict[str, Any]  # of SendMessageBatch


@dataclass(frozen=True)
class DeadLetter:
    """A received message; `receipt` is what deletes it or gives it back."""

    message_id: str
    receipt: str
    body: str
    attributes: Mapping[str, Mapping[str, Any]]  # by name: DataType, and StringValue or BinaryValue
    system: Mapping[str, str]

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Self:
        """Read a message of ReceiveMessage's answer."""
        attributes = {
            name: {part: value[part] for part in _PARTS if part in value}
            for name, value in message.get("MessageAttributes", {}).items()
        }
        return cls(
            message["MessageId"], message["ReceiptHandle"], message["Body"], attributes, message.get("Attributes", {})
        )

    @property
    def reason(self) -> str:
        """Why the consumer set it aside; one that the redrive policy moved carries no reason of its own."""
        return self._text("failureReason") or RETRIES_EXHAUSTED

    @property
    def detail(self) -> str:
        """The fields and rules that the consumer named, or nothing."""
        return self._text("failureDetail")

    @property
    def replays(self) -> int:
        """How often it was redriven message by message."""
        text = self._text(REPLAY_COUNT)
        return int(text) if text.isascii() and text.isdecimal() else 0

    @property
    def receives(self) -> int:
        """How often it was received, in the queue it came from and in this one."""
        return int(self.system.get("ApproximateReceiveCount", "0"))

    @property
    def sent_at(self) -> float:
        """When SQS took it, in epoch seconds: into the queue, or, set aside by the consumer, into this one."""
        return int(self.system.get("SentTimestamp", "0")) / 1000

    @property
    def sent_key(self) -> str:
        """`sent_at` as a text whose order is that of time."""
        return sort_key(EPOCH + timedelta(seconds=self.sent_at))

    def field(self, name: str) -> str:
        """Return a text field of the envelope, or nothing where the body has none."""
        value = self._envelope.get(name)
        return value if isinstance(value, str) else ""

    def _text(self, name: str) -> str:
        return str(self.attributes.get(name, {}).get("StringValue", ""))

    @cached_property
    def _envelope(self) -> Mapping[str, Any]:
        try:
            parsed = parse_json(self.body)
        except JsonError:  # which is why it is here
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def replay(self, entry_id: str) -> Entry:
        """Return the entry that sends it again: body and attributes as they are, the replay counter one higher.

        Where the counter has no room (ten attributes, or 1 MiB), it is left out: what the message carries comes first.
        """
        entry: Entry = {"Id": entry_id, "MessageBody": self.body}
        if _TRACE in self.system:
            entry["MessageSystemAttributes"] = {_TRACE: {"DataType": "String", "StringValue": self.system[_TRACE]}}
        counter = {REPLAY_COUNT: {"DataType": "Number", "StringValue": str(self.replays + 1)}}
        counted = {**entry, "MessageAttributes": {**self.attributes, **counter}}
        if len(counted["MessageAttributes"]) <= ATTRIBUTES and entry_bytes(counted) <= limits.SQS_REQUEST_BYTES:
            return counted
        return {**entry, "MessageAttributes": dict(self.attributes)} if self.attributes else entry


def entry_bytes(entry: Entry) -> int:
    """Return the bytes that SQS counts: the body, and the name, type and value of each attribute."""
    total = len(entry["MessageBody"].encode(errors="surrogatepass"))
    for name, attribute in entry.get("MessageAttributes", {}).items():
        total += len(name.encode()) + len(attribute["DataType"].encode())
        total += len(attribute.get("StringValue", "").encode()) + len(attribute.get("BinaryValue", b""))
    return total


def replay_batches(letters: Sequence[DeadLetter]) -> Iterator[dict[str, tuple[DeadLetter, Entry]]]:
    """Divide into requests of at most 10 entries and 1 MiB: entry ID -> dead letter and its entry."""
    batch: dict[str, tuple[DeadLetter, Entry]] = {}
    total = 0
    for index, letter in enumerate(letters):
        entry = letter.replay(str(index))
        size = entry_bytes(entry)
        if batch and (len(batch) == limits.SQS_BATCH_ENTRIES or total + size > limits.SQS_REQUEST_BYTES):
            yield batch
            batch, total = {}, 0
        batch[entry["Id"]] = (letter, entry)
        total += size
    if batch:
        yield batch
