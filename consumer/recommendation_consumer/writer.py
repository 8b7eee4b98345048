"""The bulk write: BatchWriteItem in bounded parallel, retrying only what came back, until the deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from recommendation_consumer.aws_error import DEADLINE_EXCEEDED, NOT_CONFIRMED, THROTTLED, AwsFailure, Kind, classify
from recommendation_consumer.request import ENVELOPE_BYTES, PUT_BYTES, Put, batch_body, guarded_body, unprocessed
from recommendation_shared import limits
from recommendation_shared.item.encoding import EncodedItem

_IN_FLIGHT: Final = 8  # requests; the connection pool has 10 places
_TRANSIENT_ATTEMPTS: Final = 3  # of one request, when the table cannot be reached or answers with HTTP 5xx
Write = Callable[[bytes], Awaitable[Mapping[str, Any]]]
"""Sends a ready BatchWriteItem or PutItem body and returns the response; raises `ClientError` or `BotoCoreError`."""


@dataclass(slots=True)
class WriteResult:
    """What became of each recommendation ID: when it was stored (epoch seconds), or why it was not.

    `rejected` are the IDs of items that DynamoDB refused as invalid, `conflicts` those of guarded items that the table
    has with other content. `throttled` counts refused writes, retried or not.
    """

    stored: dict[str, float] = field(default_factory=dict)
    unwritten: dict[str, str] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    throttled: int = 0


@dataclass(frozen=True, slots=True)
class Effects:
    """The writer's outside world. `monotonic` and `wall` are in seconds, the latter since the epoch."""

    batch_write: Write
    monotonic: Callable[[], float]
    wall: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    delays: Callable[[], Iterator[float]]
    put_item: Write


async def write_items(puts: Iterable[Put], table_name: str, deadline: float, effects: Effects) -> WriteResult:
    """Write items with unique IDs; return what was stored and what was not, and why. Expected failures never raise.

    Items are taken as requests are done, at most one request's ahead, so `puts` may make them while others are on
    their way.

    `deadline` is a moment on `effects.monotonic`; a request still in flight then is abandoned, and its items count
    as not written (the retry that follows writes the same bytes).
    """
    batch = _Batch(table_name, deadline, effects)
    places = asyncio.Semaphore(_IN_FLIGHT)

    async def write(chunk: Sequence[EncodedItem], *, guard: bool) -> None:
        try:
            await batch.write(chunk, guard=guard)
        finally:
            places.release()

    async with asyncio.TaskGroup() as tasks:
        for chunk, guard in chunks(puts):
            await places.acquire()
            tasks.create_task(write(chunk, guard=guard))
    return batch.result


def chunks(puts: Iterable[Put]) -> Iterator[tuple[list[EncodedItem], bool]]:
    """Divide items by BatchWriteItem's limits, 25 keys and 16 MB of request; a guarded one is alone (and True)."""
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


_Send = Callable[[dict[str, EncodedItem]], Awaitable[AwsFailure]]


class _Batch:
    """The write of one batch of messages, and the result that grows with it."""

    def __init__(self, table_name: str, deadline: float, effects: Effects) -> None:
        self.result = WriteResult()
        self._table = table_name.encode()
        self._deadline = deadline
        self._effects = effects

    async def write(self, chunk: Sequence[EncodedItem], *, guard: bool = False) -> bool:
        """Write a chunk, or one guarded item, until nothing is left to retry; tell whether all of it is done with."""
        send = self._put if guard else self._put_all
        pending = {item.recommendation_id: item for item in chunk}
        delays = self._effects.delays()
        transient_errors, why = 0, DEADLINE_EXCEEDED
        while (left := self._deadline - self._effects.monotonic()) > 0:
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
            if self._effects.monotonic() + delay >= self._deadline:
                break
            await self._effects.sleep(delay)
        self.result.unwritten.update(dict.fromkeys(pending, why))
        return False

    async def _attempt(self, send: _Send, pending: dict[str, EncodedItem], left: float) -> AwsFailure:
        """Send what is pending, once; tell why what is still pending then was not stored."""
        try:
            async with asyncio.timeout(left):
                return await send(pending)
        except TimeoutError:
            return AwsFailure(Kind.SYSTEMIC, DEADLINE_EXCEEDED)
        except (ClientError, BotoCoreError) as error:
            return classify(error)

    async def _put_all(self, pending: dict[str, EncodedItem]) -> AwsFailure:
        response = await self._effects.batch_write(batch_body(self._table, pending.values()))
        if "UnprocessedItems" not in response:
            # DynamoDB always names them, if only as an empty map. What answers without, such as a proxy with a page of
            # its own, which botocore reads as an empty answer, has stored nothing.
            return AwsFailure(Kind.TRANSIENT, NOT_CONFIRMED)
        self._stored(pending, pending.keys() - unprocessed(response))
        return AwsFailure(Kind.THROTTLED, THROTTLED)

    async def _put(self, pending: dict[str, EncodedItem]) -> AwsFailure:
        ((key, item),) = pending.items()
        try:
            response = await self._effects.put_item(guarded_body(self._table, item))
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise
            self.result.conflicts.append(key)
            pending.clear()
        else:
            if "ConsumedCapacity" in response:
                self._stored(pending, [key])
        return AwsFailure(Kind.TRANSIENT, NOT_CONFIRMED)

    def _stored(self, pending: dict[str, EncodedItem], keys: Iterable[str]) -> None:
        now = self._effects.wall()
        for key in keys:
            del pending[key]
            self.result.stored[key] = now

    async def _isolate(self, chunk: Sequence[EncodedItem]) -> None:
        """Write the valid items of a chunk that holds an invalid one, which DynamoDB does not name, or is too large.

        By halves, so that one offender among 25 costs at most 10 requests in all. When the left half is stored, the
        offender is in the right one, which needs no request to tell.
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
