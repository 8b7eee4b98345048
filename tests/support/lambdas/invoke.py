"""Run one invocation of the consumer, or its writer alone, with fakes for the outside world."""

from collections.abc import Sequence
from typing import Any

from recommendation_consumer.batch_result import BatchResponse
from recommendation_consumer.invocation import consume
from recommendation_consumer.request import Put
from recommendation_consumer.writer import WriteResult, write_items
from recommendation_shared.item.encoding import EncodedItem, encode_item
from tests.support.fakes.aws import Clock, FakeDeadLetterQueue, FakeTable, dependencies
from tests.support.lambdas.event import Context, envelope


async def invoke(
    event: Any,
    table: FakeTable | None = None,
    queue: FakeDeadLetterQueue | None = None,
    context: Context | None = None,
    **changes: Any,
) -> BatchResponse:
    """Run one invocation and return its response; `changes` replace single dependencies."""
    return await consume(event, context or Context(), dependencies(table, queue=queue, **changes))


async def write(
    table: FakeTable,
    items: Sequence[EncodedItem] = (),
    *,
    guarded: Sequence[EncodedItem] = (),
    clock: Clock | None = None,
    seconds: float = 20.0,
    **changes: Any,
) -> WriteResult:
    """Write guarded items, then the others, within so many seconds; `changes` replace single dependencies."""
    clock = clock or Clock()
    puts = [*(Put(item, guarded=True) for item in guarded), *map(Put, items)]
    return await write_items(puts, clock.monotonic() + seconds, dependencies(table, clock, **changes))


def encoded(count: int) -> list[EncodedItem]:
    """Return valid items of different recommendations."""
    return [encode_item(envelope(f"agent-{number}").to_fields()) for number in range(count)]


def ids(items: Sequence[EncodedItem]) -> list[str]:
    """Return the items' recommendation IDs."""
    return [item.recommendation_id for item in items]
