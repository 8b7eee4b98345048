"""One dead letter: what SQS and the consumer say about it, and the message it becomes when it is replayed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Final, Self

from recommendation_shared import limits
from recommendation_shared.envelope.errors import ID_MISMATCH, INVALID_ENVELOPE, INVALID_JSON
from recommendation_shared.envelope.identity import EPOCH, sort_key
from recommendation_shared.exact_json.parse import JsonError, parse_json
from recommendation_shared.queue.batches import TRACE_HEADER, entry_bytes, in_batches
from recommendation_shared.queue.dead_letter import (
    DELETED,
    EXPIRED,
    FAILURE_DETAIL,
    FAILURE_REASON,
    ID_CONFLICT,
    ITEM_REJECTED,
    REPLAY_COUNT,
    RETRIES_EXHAUSTED,
    TAMPERED,
)

# The outcome of redriving each kind of poison.
POISON_OUTCOMES: Final = {
    INVALID_JSON: "would fail again (not JSON)",
    INVALID_ENVELOPE: "would fail again (breaks the contract)",
    ID_MISMATCH: "would fail again (wrong ID)",
    ID_CONFLICT: "would fail again (ID already in use)",
    ITEM_REJECTED: "would fail again (DynamoDB rejects it)",
    EXPIRED: "would fail again (past its retention)",
    TAMPERED: "would undo the edit (or fail: digest edited too)",
    DELETED: "would restore the deleted item",
}

_PARTS: Final = ("DataType", "StringValue", "BinaryValue")

Entry = dict[str, Any]
"""An entry of SendMessageBatch."""


@dataclass(frozen=True)
class DeadLetter:
    """A received message; `receipt` deletes it or returns it to the queue."""

    message_id: str
    receipt: str
    body: str
    attributes: Mapping[str, Mapping[str, Any]]  # by name: DataType, and StringValue or BinaryValue
    system: Mapping[str, str]

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Self:
        """Read a message from a ReceiveMessage response."""
        attributes = {
            name: {part: value[part] for part in _PARTS if part in value}
            for name, value in message.get("MessageAttributes", {}).items()
        }
        return cls(
            message["MessageId"], message["ReceiptHandle"], message["Body"], attributes, message.get("Attributes", {})
        )

    @property
    def reason(self) -> str:
        """Why the consumer rejected it; a message that the redrive policy moved carries no reason."""
        return self._text(FAILURE_REASON) or RETRIES_EXHAUSTED

    @property
    def detail(self) -> str:
        """The fields and rules that the consumer named; empty without any."""
        return self._text(FAILURE_DETAIL)

    @property
    def is_poison(self) -> bool:
        """Whether no retry can store it."""
        return self.reason in POISON_OUTCOMES

    @property
    def replays(self) -> int:
        """How often it was sent to the queue again, message by message; SQS's own moves do not count."""
        text = self._text(REPLAY_COUNT)
        return int(text) if text.isascii() and text.isdecimal() else 0

    @property
    def receives(self) -> int:
        """How often it was received, both in its source queue and in this one."""
        return int(self.system.get("ApproximateReceiveCount", "0"))

    @property
    def sent_at(self) -> float:
        """When it was sent, in epoch seconds: to this queue by the consumer, or else to the source queue."""
        return int(self.system.get("SentTimestamp", "0")) / 1000

    @property
    def sent_key(self) -> str:
        """`sent_at` as text that sorts by time."""
        return sort_key(EPOCH + timedelta(seconds=self.sent_at))

    def field(self, name: str) -> str:
        """Return a text field of the envelope; empty where the body has none."""
        value = self._envelope.get(name)
        return value if isinstance(value, str) else ""

    def _text(self, name: str) -> str:
        return str(self.attributes.get(name, {}).get("StringValue", ""))

    @cached_property
    def _envelope(self) -> Mapping[str, Any]:
        try:
            parsed = parse_json(self.body)
        except JsonError:  # probably why it is a dead letter
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def replay_entry(self, entry_id: str) -> Entry:
        """Return the entry that sends it again: the same body and attributes, the replay counter one higher.

        Where there is no room for the counter (10 attributes, or 1 MiB), it is left out and the message goes unchanged.
        """
        entry: Entry = {"Id": entry_id, "MessageBody": self.body}
        if TRACE_HEADER in self.system:
            entry["MessageSystemAttributes"] = {
                TRACE_HEADER: {"DataType": "String", "StringValue": self.system[TRACE_HEADER]}
            }
        counter = {REPLAY_COUNT: {"DataType": "Number", "StringValue": str(self.replays + 1)}}
        with_counter = {**entry, "MessageAttributes": {**self.attributes, **counter}}
        if (
            len(with_counter["MessageAttributes"]) <= limits.SQS_MESSAGE_ATTRIBUTES
            and entry_bytes(with_counter) <= limits.SQS_REQUEST_BYTES
        ):
            return with_counter
        return {**entry, "MessageAttributes": dict(self.attributes)} if self.attributes else entry


Batch = dict[str, tuple[DeadLetter, Entry]]
"""One SendMessageBatch request: entry ID -> the dead letter and its entry."""


def replay_batches(letters: Sequence[DeadLetter]) -> Iterator[Batch]:
    """Divide dead letters into requests of at most 10 entries and 1 MiB."""
    pairs = ((letter, letter.replay_entry(str(index))) for index, letter in enumerate(letters))
    for batch in in_batches(pairs, lambda pair: entry_bytes(pair[1])):
        yield {entry["Id"]: (letter, entry) for letter, entry in batch}
