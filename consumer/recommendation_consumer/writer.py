"""Write items in bulk: several BatchWriteItem requests in flight, and retries of unprocessed items only."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from recommendation_consumer.dependencies import MAX_IN_FLIGHT, Dependencies
from recommendation_consumer.failure import THROTTLED, Failure, Kind, classify
from recommendation_consumer.request import ENVELOPE_BYTES, PUT_BYTES, Put, batch_body, guarded_body, unprocessed
from recommendation_shared import limits
from recommendation_shared.aws_errors import DEADLINE_EXCEEDED, NOT_CONFIRMED, error_code
from recommendation_shared.item.encoding import EncodedItem

_TRANSIENT_ATTEMPTS: Final = 3  # per chunk, while the table is unreachable or responds with HTTP 5xx


@dataclass(slots=True)
class WriteResult:
    """The outcome of each recommendation ID: when it was stored (epoch seconds), or why it was not.

    `unwritten` maps IDs to error types. `rejected` holds the IDs of items that DynamoDB rejected as invalid, and
    `conflicts` the IDs of guarded items for which the table has other content. `throttled` counts throttled writes,
    including those that succeeded when retried.
    """

    stored: dict[str, float] = field(default_factory=dict)
    unwritten: dict[str, str] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    throttled: int = 0


async def write_items(puts: Iterable[Put], deadline: float, dependencies: Dependencies) -> WriteResult:
    """Write items with unique IDs; return which were stored, and why others were not. Expected failures never raise.

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

    async def write(self, chunk: Sequence[EncodedItem], *, guard: bool = False) -> bool:
        """Write a chunk, or one guarded item; return whether every item was stored or is a known conflict."""
        send = self._put if guard else self._put_all
        pending = {item.recommendation_id: item for item in chunk}
        delays = self._dependencies.delays()
        transient_errors, why = 0, DEADLINE_EXCEEDED
        while (left := self._deadline - self._dependencies.monotonic()) > 0:
            kind, why = await self._attempt(send, pending, left)
            if not pending:
                return True
            if kind is Kind.INVALID:
                await self._isolate(list(pending.values()))
                return False
            transient_errors += kind is Kind.TRANSIENT
            if kind is Kind.SYSTEMIC or transient_errors == _TRANSIENT_ATTEMPTS:
                break
            if kind is Kind.THROTTLED:
                self.result.throttled += len(pending)
            delay = next(delays)
            if self._dependencies.monotonic() + delay >= self._deadline:
                break
            await self._dependencies.sleep(delay)
        self.result.unwritten.update(dict.fromkeys(pending, why))
        return False

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
        if "UnprocessedItems" not in response:
            # DynamoDB always returns it, even if empty. A response without it, such as a proxy's page that parses as
            # empty, does not confirm anything.
            return Failure(Kind.TRANSIENT, NOT_CONFIRMED)
        self._stored(pending, pending.keys() - unprocessed(response))
        return Failure(Kind.THROTTLED, THROTTLED)

    async def _put(self, pending: dict[str, EncodedItem]) -> Failure:
        ((key, item),) = pending.items()
        try:
            response = await self._dependencies.put_item(guarded_body(self._table, item))
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            self.result.conflicts.append(key)
            pending.clear()
        else:
            if "ConsumedCapacity" in response:
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
