"""However slow the table and the dead-letter queue are, the response is right and in time."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any, Final, NamedTuple

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_consumer.invocation import NothingStoredError
from recommendation_shared.backoff import full_jitter
from recommendation_shared.envelope import Envelope
from tests.support.fakes.aws import FakeDeadLetterQueue, FakeTable, client_error
from tests.support.fakes.virtual_time import run_virtually
from tests.support.lambdas.event import Context, bodies, body, event, named
from tests.support.lambdas.invoke import invoke

pytestmark = pytest.mark.usefixtures("capsys")  # for the metrics' lines

STORABLE: Final = 28  # recommendations, which make two chunks
ENDLESS: Final = 10_000.0  # seconds
UNSTORABLE: Final = ["poison", "{}", body().replace('"schemaVersion":1', '"schemaVersion":2')]


class Pace(NamedTuple):
    """How long a service takes to respond, in seconds, and the error that it responds with, if any."""

    seconds: float
    error: Any = None


HEALTHY: Final = Pace(0.005)
HANGS: Final = Pace(ENDLESS)
PACES: Final = {
    "hangs": HANGS,
    "crawls": Pace(0.9),
    "crawls more slowly": Pace(7.0),
    "drops connections": Pace(1.0, ConnectTimeoutError(endpoint_url="http://table")),
    "times out": Pace(5.0, ReadTimeoutError(endpoint_url="http://table")),
    "throttles": Pace(0.02, client_error("ThrottlingException")),
    "fails": Pace(0.3, client_error("InternalServerError", 500)),
    "is healthy": HEALTHY,
}
paces = st.one_of(st.sampled_from(list(PACES.values())), st.builds(Pace, st.floats(0, 70), st.none()))


class Slow:
    """A slow table and a slow dead-letter queue. Each request to the table takes the next of its paces."""

    def __init__(self, table: Sequence[Pace], queue: Pace) -> None:
        self.table, self.queue = FakeTable(), FakeDeadLetterQueue()
        self._table_paces, self._queue_pace = list(table), queue

    async def batch_write(self, ready: bytes) -> Mapping[str, Any]:
        """Respond at the next pace; the last pace repeats."""
        await self._wait()
        return await self.table.batch_write(ready)

    async def put_item(self, ready: bytes) -> Mapping[str, Any]:
        """Respond at the next pace, too."""
        await self._wait()
        return await self.table.put_item(ready)

    async def _wait(self) -> None:
        pace = self._table_paces.pop(0) if len(self._table_paces) > 1 else self._table_paces[0]
        await asyncio.sleep(pace.seconds)
        if pace.error is not None:
            raise pace.error

    async def send_batch(self, entries: Sequence[dict[str, Any]]) -> Mapping[str, Any]:
        """Respond at the queue's pace."""
        await asyncio.sleep(self._queue_pace.seconds)
        if self._queue_pace.error is not None:
            raise self._queue_pace.error
        return await self.queue.send_batch(entries)


async def _invoke(allowed_ms: int, slow: Slow, seed: int, storable: int = STORABLE) -> None:
    loop, messages = asyncio.get_running_loop(), event(*bodies(storable), *UNSTORABLE)
    jitter = partial(full_jitter, random.Random(seed).random, base=0.05, cap=2.0)
    began, allowed = loop.time(), allowed_ms / 1000
    invocation = invoke(
        messages,
        context=Context(allowed_ms),
        batch_write=slow.batch_write,
        put_item=slow.put_item,
        send_dead_letters=slow.send_batch,
        monotonic=loop.time,
        sleep=asyncio.sleep,
        delays=jitter,
    )
    try:
        response = await invocation
    except NothingStoredError:
        assert not slow.table.items
        assert not slow.queue.messages
    else:
        safe = {entry["MessageAttributes"]["originalMessageId"]["StringValue"] for entry in slow.queue.messages}
        for record in messages["Records"][:storable]:
            if Envelope.from_json(record["body"]).recommendation_id in slow.table.items:
                safe.add(record["messageId"])
        assert set(named(response)) == {record["messageId"] for record in messages["Records"]} - safe
    assert loop.time() - began <= allowed - min(1.0, allowed * 0.1) + 1e-6
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize(("table", "queue"), list(product(PACES, ["hangs", "crawls", "is healthy"])))
def test_response_is_in_time_at_every_timeout_from_1_to_60_seconds(table: str, queue: str) -> None:
    """It leaves a tenth of the time, at most a second, for its own delivery."""
    for timeout in range(1, 61):
        run_virtually(_invoke(timeout * 1000, Slow([PACES[table]], PACES[queue]), seed=timeout))


@pytest.mark.parametrize("table", [[HANGS], [HEALTHY, HANGS], [HEALTHY] * 3 + [PACES["crawls more slowly"]]])
def test_unread_messages_are_named_too(table: list[Pace]) -> None:
    """With more chunks than may be in flight, SQS redelivers whatever comes after them, poison included."""
    slow = Slow(table, HEALTHY)
    run_virtually(_invoke(5_000, slow, seed=0, storable=350))
    assert len(slow.table.items) == 25 * (len(table) - 1)
    assert not slow.queue.messages


@settings(max_examples=150)
@given(st.integers(200, 60_000), st.lists(paces, min_size=1, max_size=8), paces, st.integers(0, 1000))
def test_response_is_in_time_however_long_each_request_takes(
    allowed_ms: int, table: list[Pace], queue: Pace, seed: int
) -> None:
    """Even if some chunks are stored, some hang and some are throttled."""
    run_virtually(_invoke(allowed_ms, Slow(table, queue), seed))
