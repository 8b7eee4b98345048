"""Plan what happens to each message of a batch: one write per recommendation, or a reason not to write it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, NamedTuple

from recommendation_consumer.message import Message
from recommendation_consumer.request import Put
from recommendation_consumer.wrapping import named_incidents, wrapped_by
from recommendation_shared.envelope.errors import UNKNOWN_SCHEMA_VERSION, EnvelopeError
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import EncodedItem, encode_item
from recommendation_shared.item.standings import Standings
from recommendation_shared.queue.dead_letter import EXPIRED, ID_CONFLICT

NO_BODY: Final = "NoBody"
_EXPIRED_DETAIL: Final = "timestamp and retention: it was past its ttl when it was sent; is the sender's clock right?"


@dataclass(slots=True)
class Write:
    """An item that was passed to the writer, and every message carrying it, earliest first.

    The item itself is not kept, because the items of a full batch would take half as much memory as its event.
    `timestamp` is the envelope's sort key.
    """

    digest: str
    messages: list[Message]
    incident_id: str
    execution_id: str
    agent_type: str
    timestamp: str


class Poison(NamedTuple):
    """A message that no retry can store. `detail` names fields and rules, and never quotes the message."""

    message: Message
    reason: str
    detail: str


@dataclass(slots=True)
class Plan:
    """The outcome of the messages read so far.

    `writes` is keyed by recommendation ID. `failures` holds the messages left for SQS to redeliver: error types by
    message ID. `erased` holds the messages of erased incidents, and `unread` those not read before the deadline.
    """

    writes: dict[str, Write] = field(default_factory=dict)
    poison: list[Poison] = field(default_factory=list)
    expired: list[Message] = field(default_factory=list)
    erased: list[Message] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    unread: list[Message] = field(default_factory=list)


def planned_puts(
    plan: Plan, messages: Sequence[Message], is_late: Callable[[], bool], standings: Standings
) -> Iterator[Put]:
    """Read messages on demand: yield each new item to write, and record every message in `plan`.

    Until the iterator is exhausted, `plan` holds only the messages read so far. Messages not yet read when `is_late`
    returns true are left for SQS to redeliver. `standings` says which incidents are held or erased. Neither parsed
    bodies nor items are kept, because the garbage collector would take as long again to traverse hundreds of them.
    """
    # The earliest message with an ID wins. SQS does not deliver in order, and the messages of one request have the same
    # time. Message IDs decide between those, so that every delivery has the same outcome.
    for message in sorted(messages, key=attrgetter("sent_at", "message_id")):
        if is_late():
            plan.unread.append(message)
            continue
        read = _read(plan, message, standings)
        if read is None:
            continue
        fields, item = read
        if not _is_expired(plan, message, item) and _is_new(plan, message, fields, item):
            # Since its first delivery, another message may have written different content under the same ID. A
            # redelivered message must not overwrite that, and no message must overwrite what is held.
            yield Put(item, guarded=message.redelivered or standings.hold(fields["incidentId"]) is not None)


def _read(plan: Plan, message: Message, standings: Standings) -> tuple[Mapping[str, Any], EncodedItem] | None:
    """Return a message's fields and item; without any, record in the plan what becomes of the message."""
    if message.body is None:  # SQS would reject it as a dead letter, too
        plan.failures[message.message_id] = NO_BODY
        return None
    try:
        fields = read_envelope(message.body)
        incident_id = fields["incidentId"]
        if not standings.is_erased(incident_id):
            return fields, encode_item(fields, message.trace_header, standings.hold(incident_id))
        plan.erased.append(message)
    except EnvelopeError as error:
        if standings.knows_erasures and _is_of_erased(message.body, standings):
            plan.erased.append(message)
        elif error.reason == UNKNOWN_SCHEMA_VERSION:  # the next deployment may support it
            plan.failures[message.message_id] = error.reason
        else:
            plan.poison.append(Poison(message, error.reason, wrapped_by(message.body) or error.detail))
    except Exception as error:  # noqa: BLE001 - a bug of ours must cost one message, not its whole batch
        plan.failures[message.message_id] = type(error).__name__
    return None


def _is_of_erased(body: str, standings: Standings) -> bool:
    """Return whether an invalid message names erased incidents alone: as a dead letter, it would be kept after all."""
    incidents = named_incidents(body)
    return bool(incidents) and all(map(standings.is_erased, incidents))


def _is_expired(plan: Plan, message: Message, item: EncodedItem) -> bool:
    """Return whether an item was past its ttl when its message was first delivered; if so, record that in the plan.

    SQS's clock decides and never ours: a clock that is a year ahead would otherwise acknowledge everything unwritten.
    What expires later is written, and DynamoDB deletes it.
    """
    if item.expires_at is None or item.expires_at * 1000 > message.received_at:
        return False
    if item.expires_at * 1000 > message.sent_at:
        plan.expired.append(message)
    else:
        plan.poison.append(Poison(message, EXPIRED, _EXPIRED_DETAIL))
    return True


def _is_new(plan: Plan, message: Message, fields: Mapping[str, Any], item: EncodedItem) -> bool:
    """Record a message in the plan; return whether its item still has to be written."""
    write = plan.writes.get(item.recommendation_id)
    if write is None:
        plan.writes[item.recommendation_id] = Write(
            item.digest,
            [message],
            fields["incidentId"],
            fields["executionId"],
            fields["agentType"],
            fields["timestamp"],
        )
        return True
    if write.digest == item.digest:
        write.messages.append(message)
    else:
        earlier = write.messages[0].message_id
        detail = f"recommendationId: message {earlier}, sent earlier, has different content under the same ID"
        plan.poison.append(Poison(message, ID_CONFLICT, detail))
    return False
