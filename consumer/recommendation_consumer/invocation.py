"""One invocation: plan, write, set poison aside, answer."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from aws_lambda_powertools import Logger

from recommendation_consumer.aws_error import DEADLINE_EXCEEDED
from recommendation_consumer.dead_letters import SendBatch, send_dead_letters
from recommendation_consumer.deadlines import Deadlines, deadlines
from recommendation_consumer.log import context_keys, log_outcome, log_plan
from recommendation_consumer.message import Message, read_messages
from recommendation_consumer.metrics import emit
from recommendation_consumer.outcome import BatchResponse, Outcome, Stored, respond
from recommendation_consumer.plan import ID_CONFLICT, Plan, Poison, plan_writes
from recommendation_consumer.request import Put
from recommendation_consumer.writer import Effects, WriteResult, write_items
from recommendation_shared.envelope.identity import parse_instant
from recommendation_shared.settings import Settings

DEAD_LETTER_FAILED: Final = "DeadLetterFailed"
ITEM_REJECTED: Final = "ItemRejected"
_REJECTED_DETAIL: Final = "item: DynamoDB refused it as invalid"
_CONFLICT_DETAIL: Final = "recommendationId: the table has it with other content"


class NothingStoredError(RuntimeError):
    """No recommendation of the batch could be stored, so it is the table that fails and not a message.

    Raised instead of naming every message: the poller slows down when a function fails, and not when messages do.
    """


class LambdaContext(Protocol):
    """What the consumer uses of Lambda's context object."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda kills the invocation."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an invocation works with. Made once for a sandbox."""

    settings: Settings
    logger: Logger
    effects: Effects
    send_dead_letter_batch: SendBatch


async def consume(event: Any, context: LambdaContext, around: Surroundings) -> BatchResponse:
    """Store a batch and name the messages that SQS is to deliver again.

    Raises `MalformedEventError` and `NothingStoredError`: all messages return to the queue, and none is a dead letter.
    """
    until = deadlines(around.effects.monotonic(), context.get_remaining_time_in_millis())
    messages = read_messages(event)
    invocation = _Invocation(messages, until, around, context.aws_request_id)
    try:
        await invocation.carry_out()
    finally:
        invocation.tell()
    return respond(invocation.outcome, messages)


class _Invocation:
    """The way of one batch; `outcome` grows with it."""

    def __init__(self, messages: Sequence[Message], until: Deadlines, around: Surroundings, request_id: str) -> None:
        self.outcome = Outcome()
        self._plan = Plan()
        self._messages = messages
        self._until = until
        self._around = around
        self._request_id = request_id

    async def carry_out(self) -> None:
        """Write what is to be stored, then set aside what cannot be."""
        outcome, plan, until, effects = self.outcome, self._plan, self._until, self._around.effects
        started = effects.monotonic()
        result = await write_items(self._puts(), self._around.settings.table_name, until.write, effects)
        outcome.write_ms = (effects.monotonic() - started) * 1000
        _count(outcome, plan, result)
        unwritten = Counter(result.unwritten.values())
        if plan.unread:
            unwritten[DEADLINE_EXCEEDED] += len(plan.unread)
        if unwritten and not (result.stored or result.rejected or result.conflicts):
            causes = ", ".join(f"{cause} ({count})" for cause, count in unwritten.items())
            raise NothingStoredError(f"None of {unwritten.total()} recommendations could be stored: {causes}")
        # After the writes, because a batch that is delivered whole again must not have sent its poison already.
        refused = {
            **dict.fromkeys(result.rejected, (ITEM_REJECTED, _REJECTED_DETAIL)),
            **dict.fromkeys(result.conflicts, (ID_CONFLICT, _CONFLICT_DETAIL)),
        }
        poison = plan.poison + [
            Poison(message, *why) for key, why in refused.items() for message in plan.writes[key].messages
        ]
        unsent = await send_dead_letters(
            poison, self._around.send_dead_letter_batch, until.dead_letters, effects.monotonic
        )
        outcome.failures.update(dict.fromkeys(unsent, DEAD_LETTER_FAILED))
        outcome.dead_letter_errors.update(unsent.values())
        outcome.dead_lettered.update(one.reason for one in poison if one.message.message_id not in unsent)

    def _puts(self) -> Iterator[Put]:
        effects, end = self._around.effects, self._until.write
        yield from plan_writes(self._plan, self._messages, effects.wall(), lambda: effects.monotonic() >= end)
        # All is read: for up to a request's 25, before any is sent.
        with self._keys():
            log_plan(self._around.logger, self._plan)

    def tell(self) -> None:
        """Emit the metrics and log the outcome."""
        around, outcome = self._around, self.outcome
        with self._keys():
            emit(outcome, around.effects.wall(), incident_metrics=around.settings.incident_metrics)
            log_outcome(around.logger, outcome)

    def _keys(self) -> AbstractContextManager[None]:
        """Keep log keys for as long as this is open: the sandbox's next invocation must not log them."""
        keys = context_keys(self._plan, self._request_id, len(self._messages))
        return self._around.logger.append_context_keys(**keys)


def _count(outcome: Outcome, plan: Plan, result: WriteResult) -> None:
    outcome.expired = len(plan.expired)
    outcome.failures.update(plan.failures)
    outcome.failures.update((message.message_id, DEADLINE_EXCEEDED) for message in plan.unread)
    outcome.throttled = result.throttled
    for key, write in plan.writes.items():
        if key in result.unwritten:
            outcome.failures.update((message.message_id, result.unwritten[key]) for message in write.messages)
        elif key in result.stored:
            outcome.duplicates += len(write.messages) - 1
            completed = parse_instant(write.timestamp).timestamp()
            lag_ms = max(0.0, (result.stored[key] - completed) * 1000)  # clocks differ
            outcome.stored.append(Stored(write.incident_id, write.agent_type, lag_ms))
