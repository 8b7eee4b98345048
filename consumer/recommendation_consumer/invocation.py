"""One invocation: store a batch, dead-letter its poison, respond.

Reading and writing overlap, because the writer draws its items from the reader:

    messages ──► planned_puts ──► write_items ──► BatchWriteItem, eight in flight
                   │      ▲           │
                   │      └── draws ──┘    at most one request ahead of those in flight
                   ▼
                 Plan                      complete when write_items returns
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from recommendation_consumer.batch_result import BatchResponse, BatchResult, Stored, respond
from recommendation_consumer.dead_letters import send_dead_letters
from recommendation_consumer.deadlines import Deadlines, deadlines
from recommendation_consumer.dependencies import Dependencies
from recommendation_consumer.log import context_keys, log_plan, log_result
from recommendation_consumer.marks import MARKS_UNREADABLE, MarksUnreadableError, known_standings
from recommendation_consumer.message import Message, read_messages
from recommendation_consumer.metrics import emit
from recommendation_consumer.plan import Plan, Poison, planned_puts
from recommendation_consumer.request import Put
from recommendation_consumer.table_check import table_fault
from recommendation_consumer.writer import WriteResult, write_items
from recommendation_shared.aws_errors import DEADLINE_EXCEEDED
from recommendation_shared.envelope.identity import parse_instant
from recommendation_shared.item.agent_types import registration
from recommendation_shared.item.standings import Standings
from recommendation_shared.queue.dead_letter import ID_CONFLICT, ITEM_REJECTED

DEAD_LETTER_FAILED: Final = "DeadLetterFailed"
_REJECTED_DETAIL: Final = "item: DynamoDB rejected it as invalid"
_CONFLICT_DETAIL: Final = "recommendationId: the table has different content under the same ID"


class NothingStoredError(RuntimeError):
    """None of the batch's recommendations could be stored, so the table is at fault and not a message.

    Raised instead of naming every message, because the poller backs off only if the function fails.
    """


class LambdaContext(Protocol):
    """The part of Lambda's context object that the consumer uses."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda kills the invocation."""


async def consume(event: Any, context: LambdaContext, dependencies: Dependencies) -> BatchResponse:
    """Store a batch; return the batch item failures, which SQS redelivers.

    Raises `MalformedEventError` and `NothingStoredError`. All messages then return to the queue, and none of them has
    been dead-lettered.
    """
    until = deadlines(dependencies.monotonic(), context.get_remaining_time_in_millis())
    messages = read_messages(event)
    invocation = _Invocation(messages, until, dependencies, context.aws_request_id)
    try:
        await invocation.run()
    finally:
        invocation.report()
    return respond(invocation.result, messages)


class _Invocation:
    """Processes one batch and fills in `result` as it goes."""

    def __init__(
        self, messages: Sequence[Message], until: Deadlines, dependencies: Dependencies, request_id: str
    ) -> None:
        self.result = BatchResult()
        self._plan = Plan()
        self._messages = messages
        self._until = until
        self._dependencies = dependencies
        self._request_id = request_id

    async def run(self) -> None:
        """Store the valid messages, then dead-letter the others."""
        written = await self._write(await self._known_standings())
        _count(self.result, self._plan, written)
        await self._raise_if_nothing_was_stored(written)
        # Only after the writes, because a batch that is redelivered whole must not have sent its poison already.
        await self._dead_letter(written)

    async def _known_standings(self) -> Standings:
        if not self._messages:
            return Standings()
        try:
            return await known_standings(self._until.write, self._dependencies, self.result)
        except MarksUnreadableError as error:
            self.result.failures.update((message.message_id, MARKS_UNREADABLE) for message in self._messages)
            raise NothingStoredError(str(error)) from None

    async def _write(self, standings: Standings) -> WriteResult:
        dependencies = self._dependencies
        started = dependencies.monotonic()
        written = await write_items(self._puts(standings), self._until.write, dependencies)
        self.result.write_ms = (dependencies.monotonic() - started) * 1000
        # What was not registered is tried again with the next batch that has such an agent.
        dependencies.registered_types.update(
            agent_type
            for agent_type in self._new_agent_types()
            if registration(agent_type).recommendation_id in written.stored
        )
        return written

    def _puts(self, standings: Standings) -> Iterator[Put]:
        monotonic, end = self._dependencies.monotonic, self._until.write
        yield from planned_puts(self._plan, self._messages, lambda: monotonic() >= end, standings)
        new, room = self._new_agent_types(), self._room_for_agent_types()
        yield from (Put(registration(agent_type)) for agent_type in new[:room])
        # By now every message has been read. If there are at most 25, none has been written yet.
        with self._log_keys():
            log_plan(self._dependencies.logger, self._plan, unregistered=len(new[room:]))

    def _new_agent_types(self) -> list[str]:
        """Return the unusual agent types in the batch that this sandbox has not registered (docs/decisions/0021)."""
        seen = {write.agent_type for write in self._plan.writes.values()}
        return sorted(seen - self._dependencies.registered_types)

    def _room_for_agent_types(self) -> int:
        return max(0, self._dependencies.max_agent_types - len(self._dependencies.registered_types))

    async def _raise_if_nothing_was_stored(self, written: WriteResult) -> None:
        writes = self._plan.writes  # what else is written says nothing about the recommendations
        if writes.keys() & written.stored.keys() or written.conflicts:
            return
        causes = Counter(cause for key, cause in written.unwritten.items() if key in writes)
        if self._plan.unread:
            causes[DEADLINE_EXCEEDED] += len(self._plan.unread)
        rejected = [key for key in written.rejected if key in writes]
        fault = None
        # DynamoDB rejects an invalid item, and it rejects every item if the table has another key. In that case none
        # of them is poison.
        if rejected and not causes:
            fault = await table_fault(self._until.write, self._dependencies)
        if causes or fault is not None:
            causes.update([ITEM_REJECTED] * len(rejected))
            messages = [message for key in rejected for message in writes[key].messages]
            self.result.failures.update((message.message_id, ITEM_REJECTED) for message in messages)
            listed = ", ".join(f"{cause} ({count})" for cause, count in causes.items())
            at_fault = "" if fault is None else f"; nor did the table accept an ordinary one: {fault}"
            raise NothingStoredError(f"None of the batch's recommendations could be stored: {listed}{at_fault}")

    async def _dead_letter(self, written: WriteResult) -> None:
        refused = {
            **dict.fromkeys(written.rejected, (ITEM_REJECTED, _REJECTED_DETAIL)),
            **dict.fromkeys(written.conflicts, (ID_CONFLICT, _CONFLICT_DETAIL)),
        }
        poison = self._plan.poison + [
            Poison(message, *reason)
            for key, reason in refused.items()
            if key in self._plan.writes  # a registration has no message
            for message in self._plan.writes[key].messages
        ]
        unsent = await send_dead_letters(poison, self._until.dead_letters, self._dependencies)
        self.result.failures.update(dict.fromkeys(unsent, DEAD_LETTER_FAILED))
        self.result.dead_letter_errors.update(unsent.values())
        self.result.dead_lettered.update(letter.reason for letter in poison if letter.message.message_id not in unsent)

    def report(self) -> None:
        """Emit the metrics and log the result."""
        dependencies, settings = self._dependencies, self._dependencies.settings
        with self._log_keys():
            emit(
                self.result,
                dependencies.wall(),
                namespace=settings.metrics_namespace,
                incident_metrics=settings.incident_metrics,
            )
            log_result(dependencies.logger, self.result)

    def _log_keys(self) -> AbstractContextManager[None]:
        """Return a context that adds this invocation's log keys, so that the sandbox's next one does not log them."""
        keys = context_keys(self._plan, self._request_id, self._messages)
        return self._dependencies.logger.append_context_keys(**keys)


def _count(result: BatchResult, plan: Plan, written: WriteResult) -> None:
    result.expired = len(plan.expired)
    result.erased = [message.message_id for message in plan.erased]
    result.failures.update(plan.failures)
    result.failures.update((message.message_id, DEADLINE_EXCEEDED) for message in plan.unread)
    result.throttled += written.throttled  # beside the requests for marks
    for key, write in plan.writes.items():
        if key in written.unwritten:
            result.failures.update((message.message_id, written.unwritten[key]) for message in write.messages)
        elif key in written.stored:
            result.duplicates += len(write.messages) - 1
            completed = parse_instant(write.timestamp).timestamp()
            lag_ms = max(0.0, (written.stored[key] - completed) * 1000)  # clocks differ
            result.stored.append(Stored(write.incident_id, write.agent_type, lag_ms))
