"""Write items in bulk: several BatchWriteItem requests in flight, and retries of unprocessed items only."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from traceback import format_tb
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from recommendation_consumer.dependencies import MAX_IN_FLIGHT, Dependencies
from recommendation_consumer.failure import THROTTLED, Failure, Kind, classify
from recommendation_consumer.request import ENVELOPE_BYTES, PUT_BYTES, Put, batch_body, guarded_body, unprocessed
from recommendation_shared import limits
from recommendation_shared.aws_errors import CONDITION_FAILED, DEADLINE_EXCEEDED, NOT_CONFIRMED, error_code
from recommendation_shared.item.encoding import EncodedItem

# Of the time to write. An outage ends the writing after this share of it without any other response: short ones pass
# by then, and in longer ones the messages are better kept in the queue than in a function that is billed for waiting.
_OUTAGE_SHARE: Final = 1 / 3


@dataclass(slots=True)
class WriteResult:
    """The outcome of each recommendation ID: when it was stored (epoch seconds), or why it was not.

    `unwritten` maps IDs to error types. `rejected` holds the IDs of items that DynamoDB rejected as invalid, and
    `conflicts` the IDs of guarded items for which the table has other content. `throttled` counts requests that were
    throttled at least in part, including those that succeeded when retried.
    """

    stored: dict[str, float] = field(default_factory=dict)
    unwritten: dict[str, str] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    throttled: int = 0


async def write_items(puts: Iterable[Put], deadline: float, dependencies: Dependencies) -> WriteResult:
    """Write items with unique IDs; return which were stored, and why others were not. A failed request never raises.

    Draws from `puts` as requests complete, at most one request ahead, so that `puts` can create items while others are
    in flight.

    `deadline` is in seconds on `dependencies.monotonic`. A request still in flight at the deadline is abandoned, and
    its items count as unwritten. If they were written after all, the redelivery writes the same bytes.
    """
    writer = _Writer(deadline, dependencies)
    slots = asyncio.Semaphore(MAX_IN_FLIGHT)

    async def write(chunk: Sequence[EncodedItem], *, guard: bool) -> None:
        try:
            await writer.write(chunk, guard=guard)
        except Exception as error:  # noqa: BLE001 - a bug of ours must cost one chunk, not what its neighbours stored
            writer.give_up(chunk, error)
        except asyncio.CancelledError as error:  # of something that requests share, such as opening a connection
            writer.give_up(chunk, error)  # a task group ignores a cancelled task, which would leave no outcome
            raise
        finally:
            slots.release()

    async with asyncio.TaskGroup() as tasks:
        for chunk, guard in chunks(puts):
            await slots.acquire()
            tasks.create_task(write(chunk, guard=guard))
    return writer.result


def chunks(puts: Iterable[Put]) -> Iterator[tuple[list[EncodedItem], bool]]:
    """Divide items into chunks within BatchWriteItem's limits: 25 keys, and 16 MB per request.

    Yields (chunk, False), and ([item], True) for each guarded item.
    """
    chunk: list[EncodedItem] = []
    size = ENVELOPE_BYTES
    for item, guarded in puts:
        if guarded:
            yield [item], True
            continue
        item_bytes = len(item.body) + PUT_BYTES
        if chunk and (len(chunk) == limits.BATCH_WRITE_KEYS or size + item_bytes > limits.BATCH_WRITE_BYTES):
            yield chunk, False
            chunk, size = [], ENVELOPE_BYTES
        chunk.append(item)
        size += item_bytes
    if chunk:
        yield chunk, False


_Send = Callable[[dict[str, EncodedItem]], Awaitable[Failure]]


class _Writer:
    """Writes chunks until nothing is left to retry, and collects the outcome of their items."""

    def __init__(self, deadline: float, dependencies: Dependencies) -> None:
        self.result = WriteResult()
        self._table = dependencies.settings.table_name.encode()
        self._deadline = deadline
        self._dependencies = dependencies
        self._reached = dependencies.monotonic()  # when the table last responded with anything but an outage
        self._patience = (deadline - self._reached) * _OUTAGE_SHARE

    async def write(self, chunk: Sequence[EncodedItem], *, guard: bool = False) -> bool:
        """Write a chunk, or one guarded item; return whether every item was stored or is a known conflict."""
        send = self._put if guard else self._put_all
        pending = {item.recommendation_id: item for item in chunk}
        delays = self._dependencies.delays()
        why = DEADLINE_EXCEEDED
        while (left := self._deadline - self._dependencies.monotonic()) > 0:
            kind, why = await self._attempt(send, pending, left)
            if kind is not Kind.TRANSIENT or not pending:
                self._reached = self._dependencies.monotonic()
            if not pending:
                return True
            self.result.throttled += kind is Kind.THROTTLED
            if kind is Kind.INVALID:
                await self._isolate(list(pending.values()))
                return False
            delay = next(delays)
            if kind is Kind.SYSTEMIC or self._dependencies.monotonic() + delay >= self._end(kind):
                break
            await self._dependencies.sleep(delay)
        self.result.unwritten.update(dict.fromkeys(pending, why))
        return False

    def give_up(self, chunk: Sequence[EncodedItem], error: BaseException) -> None:
        """Leave what is undecided in a chunk to SQS, after an error that is not AWS's but ours."""
        result, cause = self.result, type(error).__name__
        decided = result.stored.keys() | result.unwritten.keys() | {*result.rejected, *result.conflicts}
        keys = [item.recommendation_id for item in chunk if item.recommendation_id not in decided]
        result.unwritten.update(dict.fromkeys(keys, cause))
        # The exception's message may quote an item; the frames do not.
        details = {"errorType": cause, "stack": format_tb(error.__traceback__)}
        self._dependencies.logger.error("A request failed unexpectedly: %s", cause, extra=details)

    def _end(self, kind: Kind) -> float:
        """Return when to stop retrying after this kind of failure: seconds on the monotonic clock."""
        return min(self._deadline, self._reached + self._patience) if kind is Kind.TRANSIENT else self._deadline

    async def _attempt(self, send: _Send, pending: dict[str, EncodedItem], left: float) -> Failure:
        """Send what is pending, once; return why the items still pending afterwards were not stored."""
        try:
            async with asyncio.timeout(left):
                return await send(pending)
        except TimeoutError:
            return Failure(Kind.SYSTEMIC, DEADLINE_EXCEEDED)
        except (ClientError, BotoCoreError) as error:
            return classify(error)

    async def _put_all(self, pending: dict[str, EncodedItem]) -> Failure:
        response = await self._dependencies.batch_write(batch_body(self._table, pending.values()))
        returned = unprocessed(response, pending.keys())
        if returned is None:
            return Failure(Kind.TRANSIENT, NOT_CONFIRMED)
        self._stored(pending, pending.keys() - returned)
        return Failure(Kind.THROTTLED, THROTTLED)

    async def _put(self, pending: dict[str, EncodedItem]) -> Failure:
        ((key, item),) = pending.items()
        try:
            response = await self._dependencies.put_item(guarded_body(self._table, item))
        except ClientError as error:
            if error_code(error) != CONDITION_FAILED:
                raise
            self.result.conflicts.append(key)
            pending.clear()
        else:
            if isinstance(response.get("ConsumedCapacity"), dict):
                self._stored(pending, [key])
        return Failure(Kind.TRANSIENT, NOT_CONFIRMED)

    def _stored(self, pending: dict[str, EncodedItem], keys: Iterable[str]) -> None:
        now = self._dependencies.wall()
        for key in keys:
            del pending[key]
            self.result.stored[key] = now

    async def _isolate(self, chunk: Sequence[EncodedItem]) -> None:
        """Write the valid items of a chunk that is too large or has an invalid item, which DynamoDB does not name.

        Splits the chunk in half, so that one offender among 25 items costs at most 10 more requests. If the left half
        was stored, the offender must be in the right half, which is split without being sent first.
        """
        if len(chunk) == 1:
            self.result.rejected.append(chunk[0].recommendation_id)
            return
        middle = len(chunk) // 2
        left, right = chunk[:middle], chunk[middle:]
        if await self.write(left) and len(right) > 1:
            await self._isolate(right)
        else:
            await self.write(right)
