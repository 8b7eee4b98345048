"""What is to be done with each message of a batch: one write for each recommendation."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, NamedTuple

from recommendation_consumer.message import Message
from recommendation_consumer.request import Put
from recommendation_shared.envelope.reading import UNKNOWN_SCHEMA_VERSION, EnvelopeError, read_wire
from recommendation_shared.item.encoding import EncodedItem, encode_fields

ID_CONFLICT: Final = "IdConflict"
NO_BODY: Final = "NoBody"


@dataclass(slots=True)
class Write:
    """What is known of an item that was handed over to be written, and every message that carries it, its first first.

    The item itself is not kept: those of a full batch would take as much memory as half of its event.
    """

    digest: str
    messages: list[Message]
    incident_id: str
    execution_id: str
    agent_type: str
    timestamp: str


class Poison(NamedTuple):
    """A message that no retry can store. `detail` names fields and rules and never holds a value of the message."""

    message: Message
    reason: str
    detail: str


@dataclass(slots=True)
class Plan:
    """`writes` by recommendation ID; `failures` are messages left to SQS to retry: message ID -> error type.

    `unread` are those for which there was no time.
    """

    writes: dict[str, Write] = field(default_factory=dict)
    poison: list[Poison] = field(default_factory=list)
    expired: list[Message] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    unread: list[Message] = field(default_factory=list)


def plan_writes(plan: Plan, messages: Sequence[Message], now: float, is_late: Callable[[], bool]) -> Iterator[Put]:
    """Parse, encode and deduplicate a batch as far as the writes go on; `plan` grows with it.

    `now` is in epoch seconds, only to tell what has expired. What is not yet read when it is late is left to SQS to
    deliver again. Neither what a body holds nor its item is kept: hundreds of parsed bodies kept alive would double
    the time, all of it spent in the garbage collector.
    """
    # The earliest message of an ID stands. SQS delivers in no particular order, and those of one request are sent at
    # once: then their own IDs decide, so that the same messages have the same outcome at every delivery.
    for message in sorted(messages, key=attrgetter("sent_at", "message_id")):
        if is_late():
            plan.unread.append(message)
            continue
        if message.body is None:  # SQS would refuse it as a dead letter too
            plan.failures[message.message_id] = NO_BODY
            continue
        try:
            wire = read_wire(message.body)
            item = encode_fields(wire)
        except EnvelopeError as error:
            if error.reason == UNKNOWN_SCHEMA_VERSION:  # a newer producer: the next deployment may know it
                plan.failures[message.message_id] = error.reason
            else:
                plan.poison.append(Poison(message, error.reason, error.detail))
        except Exception as error:  # noqa: BLE001 - a fault of ours must cost one message, not its whole batch
            plan.failures[message.message_id] = type(error).__name__
        else:
            if _is_new(plan, message, wire, item, now):
                # What comes back must not undo what was written since, if a message between has its ID and other
                # content.
                yield Put(item, message.redelivered)


def _is_new(plan: Plan, message: Message, wire: Mapping[str, Any], item: EncodedItem, now: float) -> bool:
    """Add a message to the plan; tell whether its item is still to be written."""
    if item.expires_at is not None and item.expires_at <= now:
        plan.expired.append(message)
        return False
    write = plan.writes.get(item.recommendation_id)
    if write is None:
        plan.writes[item.recommendation_id] = Write(
            item.digest, [message], wire["incidentId"], wire["executionId"], wire["agentType"], wire["timestamp"]
        )
        return True
    if write.digest == item.digest:
        write.messages.append(message)
    else:
        detail = f"recommendationId: message {write.messages[0].message_id}, sent earlier, has it with other content"
        plan.poison.append(Poison(message, ID_CONFLICT, detail))
    return False
