"""One invocation: plan, write, set poison aside, answer."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, Protocol

from aws_lambda_powertools import Logger

from consumer.backoff import Deadlines, deadlines
from consumer.dead_letter import SendBatch, send_dead_letters
from consumer.log import context_keys, log_outcome, log_plan
from consumer.message import read_messages
from consumer.metrics import emit
from consumer.outcome import BatchResponse, Outcome, Stored, respond
from consumer.plan import ID_CONFLICT, Plan, Poison, make_plan
from consumer.writer import Effects, WriteResult, write_items
from shared.identity import EPOCH, parse_instant
from shared.settings import Settings

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
    plan = make_plan(messages, around.effects.wall())
    outcome = Outcome(expired=len(plan.expired), failures=dict(plan.failures))
    # For the length of this call only: the sandbox's next invocation must not log these keys.
    with around.logger.append_context_keys(**context_keys(plan, context.aws_request_id, len(messages))):
        log_plan(around.logger, plan)
        try:
            await _carry_out(plan, until, around, outcome)
        finally:
            emit(outcome, around.effects.wall(), incident_metrics=around.settings.incident_metrics)
            log_outcome(around.logger, outcome)
    return respond(outcome, messages)


async def _carry_out(plan: Plan, until: Deadlines, around: Surroundings, outcome: Outcome) -> None:
    monotonic = around.effects.monotonic
    started = monotonic()
    # What comes back must not undo what was written since, if a message between has the same ID and other content.
    back = {key for key, write in plan.writes.items() if any(message.redelivered for message in write.messages)}
    items = [write.item for key, write in plan.writes.items() if key not in back]
    guarded = [write.item for key, write in plan.writes.items() if key in back]
    result = await write_items(items, around.settings.table_name, until.write, around.effects, guarded)
    outcome.write_ms = (monotonic() - started) * 1000
    _count_writes(outcome, plan, result)
    if result.unwritten and not (result.stored or result.rejected or result.conflicts):
        causes = ", ".join(f"{cause} ({count})" for cause, count in Counter(result.unwritten.values()).items())
        raise NothingStoredError(f"None of {len(plan.writes)} recommendations could be stored: {causes}")
    # After the writes, because a batch that is delivered whole again must not have sent its poison already.
    refused = {
        **dict.fromkeys(result.rejected, (ITEM_REJECTED, _REJECTED_DETAIL)),
        **dict.fromkeys(result.conflicts, (ID_CONFLICT, _CONFLICT_DETAIL)),
    }
    poison = plan.poison + [
        Poison(message, *why) for key, why in refused.items() for message in plan.writes[key].messages
    ]
    unsent = await send_dead_letters(poison, around.send_dead_letter_batch, until.dead_letters, monotonic)
    outcome.failures.update(dict.fromkeys(unsent, DEAD_LETTER_FAILED))
    outcome.dead_letter_errors.update(unsent.values())
    outcome.dead_lettered.update(one.reason for one in poison if one.message.message_id not in unsent)


def _count_writes(outcome: Outcome, plan: Plan, result: WriteResult) -> None:
    outcome.throttled = result.throttled
    for key, write in plan.writes.items():
        if key in result.unwritten:
            outcome.failures.update((message.message_id, result.unwritten[key]) for message in write.messages)
        elif key in result.stored:
            outcome.duplicates += len(write.messages) - 1
            completed = (parse_instant(write.timestamp) - EPOCH).total_seconds()
            lag_ms = max(0.0, (result.stored[key] - completed) * 1000)  # clocks differ
            outcome.stored.append(Stored(write.incident_id, write.agent_type, lag_ms))
