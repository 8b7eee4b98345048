"""The bulk write: BatchWriteItem, several requests in flight, retrying only unprocessed items until the deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from recommendation_consumer.dependencies import Dependencies
from recommendation_consumer.failure import THROTTLED, Failure, Kind, classify
from recommendation_consumer.request import ENVELOPE_BYTES, PUT_BYTES, Put, batch_body, guarded_body, unprocessed
from recommendation_shared import limits
from recommendation_shared.aws_errors import DEADLINE_EXCEEDED, NOT_CONFIRMED, error_code
from recommendation_shared.item.encoding import EncodedItem

_IN_FLIGHT: Final = 8  # requests; the connection pool holds 10 connections
_TRANSIENT_ATTEMPTS: Final = 3  # of one request, when the table is unreachable or responds with HTTP 5xx


@dataclass(slots=True)
class WriteResult:
    """What became of each recommendation ID: when it was stored (epoch seconds), or why it was not.

    `rejected` holds the IDs of items that DynamoDB refused as invalid, `conflicts` those of guarded items under whose
    ID the table has other content. `throttled` counts refused writes, retried or not.
    """

    stored: dict[str, float] = field(default_factory=dict)
    unwritten: dict[str, str] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    throttled: int = 0


async def write_items(puts: Iterable[Put], deadline: float, dependencies: Dependencies) -> WriteResult:
    """Write items with unique IDs; return what was stored and what was not, and why. Expected failures never raise.

    Draws from `puts` as requests complete, at most one request ahead, so that `puts` may create the items while others
    are in flight.

    `deadline` is in seconds on `dependencies.monotonic`. A request still in flight then is abandoned, and its items
    count as not written; the redelivery that follows writes the same bytes.
    """
    writer = _Writer(deadline, dependencies)
    slots = asyncio.Semaphore(_IN_FLIGHT)

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
    """Divide items by BatchWriteItem's limits, 25 keys and 16 MB of request; a guarded item is alone (and True)."""
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
    """Writes chunks until nothing is left to retry, and collects what became of their items."""

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
            # DynamoDB always returns it, if only as an empty map. A response without it, such as a proxy's page that
            # parses as empty, has stored nothing.
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
        """Write the valid items of a chunk with an invalid one, which DynamoDB does not name, or of one too large.

        Splits in half, so that one offender among 25 costs at most 10 more requests. When the left half is stored, the
        offender must be in the right half, which then needs no request of its own to find out.
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
