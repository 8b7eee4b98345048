"""What is to be done with a batch: validate everything first, then one write for each recommendation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, NamedTuple

from consumer.message import Message
from shared.item import EncodedItem, encode_fields
from shared.wire import UNKNOWN_SCHEMA_VERSION, EnvelopeError, read_wire

ID_CONFLICT: Final = "IdConflict"
NO_BODY: Final = "NoBody"


@dataclass(slots=True)
class Write:
    """One item, ready to be written, and every message that carries it: the first one, then its duplicates."""

    item: EncodedItem
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
    """`writes` by recommendation ID; `failures` are messages left to SQS to retry: message ID -> error type."""

    writes: dict[str, Write] = field(default_factory=dict)
    poison: list[Poison] = field(default_factory=list)
    expired: list[Message] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def make_plan(messages: Sequence[Message], now: float) -> Plan:
    """Parse, encode and deduplicate a batch. `now` is in epoch seconds, only to tell what has expired.

    What a body holds is dropped once it is encoded: hundreds of parsed bodies kept alive would double the time, all
    of it spent in the garbage collector.
    """
    plan = Plan()
    # The earliest message of an ID stands. SQS delivers in no particular order, and those of one request are sent at
    # once: then their own IDs decide, so that the same messages have the same outcome at every delivery.
    for message in sorted(messages, key=attrgetter("sent_at", "message_id")):
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
            _add(plan, message, wire, item, now)
    return plan


def _add(plan: Plan, message: Message, wire: Mapping[str, Any], item: EncodedItem, now: float) -> None:
    if item.expires_at is not None and item.expires_at <= now:
        plan.expired.append(message)
        return
    write = plan.writes.get(item.recommendation_id)
    if write is None:
        plan.writes[item.recommendation_id] = Write(
            item, [message], wire["incidentId"], wire["executionId"], wire["agentType"], wire["timestamp"]
        )
    elif write.item.digest == item.digest:
        write.messages.append(message)
    else:
        detail = f"recommendationId: message {write.messages[0].message_id}, sent earlier, has it with other content"
        plan.poison.append(Poison(message, ID_CONFLICT, detail))
