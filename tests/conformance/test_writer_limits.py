"""The writer respects BatchWriteItem's limits, as an engine enforces them."""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Sequence
from itertools import repeat
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from recommendation_consumer.clients import Clients
from recommendation_consumer.message import read_messages
from recommendation_consumer.plan import Plan, planned_puts
from recommendation_consumer.request import Put
from recommendation_consumer.writer import WriteResult, chunks, write_items
from recommendation_shared import limits
from recommendation_shared.item.encoding import EncodedItem, encode_item, item_digest
from recommendation_shared.item.size import item_size
from recommendation_shared.item.standings import Standings
from recommendation_shared.settings import Settings
from tests.support.fakes.aws import dependencies
from tests.support.fakes.recommendation_table import create_table
from tests.support.lambdas.event import bodies, body, envelope, event


class Engine:
    """A table in dynalite, to which the consumer's own clients write."""

    def __init__(self, endpoint: str, table: str, clients: Clients) -> None:
        self.table = table
        self.requests = 0
        self._clients = clients
        self._dynamodb = boto3.client("dynamodb", endpoint_url=endpoint)
        create_table(self._dynamodb, table)

    async def _batch_write(self, ready: bytes) -> Any:
        self.requests += 1
        return await self._clients.batch_write(ready)

    async def write(self, items: Sequence[EncodedItem]) -> WriteResult:
        """Write items as the handler does."""
        outside = dependencies(
            settings=Settings(table_name=self.table),
            batch_write=self._batch_write,
            put_item=self._clients.put_item,
            monotonic=time.monotonic,
            wall=time.time,
            sleep=asyncio.sleep,
            delays=lambda: repeat(0.0),
        )
        return await write_items(map(Put, items), time.monotonic() + 60, outside)

    async def send(self, ready: bytes) -> Any:
        """Send a request body directly, without the writer."""
        return await self._clients.batch_write(ready)

    def items(self) -> dict[str, dict[str, Any]]:
        """Return all items by ID."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self.table)
        return {item["recommendationId"]["S"]: item for page in pages for item in page["Items"]}

    def close(self) -> None:
        """Delete the table."""
        self._dynamodb.delete_table(TableName=self.table)
        self._dynamodb.close()


@pytest.fixture
async def engine(dynalite: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """A table with the indexes of the real one."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", dynalite)
    table = f"writer-{uuid4().hex}"
    clients = Clients(Settings(dlq_url="http://127.0.0.1/dlq", table_name=table))
    engine = Engine(dynalite, table, clients)
    yield engine
    await clients.close()
    engine.close()


def _items(count: int, **fields: Any) -> list[EncodedItem]:
    return [encode_item(envelope(f"agent-{number}", **fields).to_fields()) for number in range(count)]


def _invalid(item: EncodedItem) -> EncodedItem:
    """Return an item that the codec would never produce: its index key has the wrong type."""
    return item._replace(body=item.body.replace(b'"incidentId":{"S":', b'"incidentId":{"N":'))


async def test_a_full_chunk_is_one_request_and_another_item_is_a_second(engine: Engine) -> None:
    """A full chunk has 25 items."""
    assert len((await engine.write(_items(25))).stored) == 25
    assert engine.requests == 1
    assert len((await engine.write(_items(26))).stored) == 26
    assert engine.requests == 3


async def test_the_engine_refuses_what_the_writer_never_sends(engine: Engine) -> None:
    """26 items, or the same key twice; so the other tests prove something."""
    start, end = f'{{"RequestItems":{{"{engine.table}":['.encode(), b"]}}"
    for items in (_items(26), _items(1) * 2):
        puts = b",".join(b'{"PutRequest":{"Item":' + item.body + b"}}" for item in items)
        with pytest.raises(ClientError) as refused:
            await engine.send(start + puts + end)
        assert refused.value.response["Error"]["Code"] == "ValidationException"


def _planned(*texts: str) -> list[EncodedItem]:
    puts = planned_puts(Plan(), read_messages(event(*texts)), lambda: False, Standings())
    return [put.item for put in puts]


async def test_a_batch_full_of_duplicates_is_accepted(engine: Engine) -> None:
    """Each key is written once."""
    result = await engine.write(_planned(*bodies(20, retention=None) * 3))
    assert len(result.stored) == 20
    assert engine.requests == 1
    assert len(engine.items()) == 20


async def test_what_is_stored_is_what_was_encoded(engine: Engine) -> None:
    """Numbers at the limits of the range, every JSON type, and text beyond ASCII."""
    content = {
        "numbers": [9.99e125, -9.99e125, 1e-130, -1e-130, int("9" * 38), 0, -0.0, 1e-7, 0.1],
        "as text": [1e126, 1e-131, float("nan"), float("inf"), int("9" * 39)],
        "others": [None, True, False, "", {}, [], {"": 1}, "schön 🔥", "\x00\x1f"],
    }
    items = _items(25, recommendation=content)
    result = await engine.write(items)
    assert len(result.stored) == 25
    stored = engine.items()
    assert {key: item_digest(item) for key, item in stored.items()} == {
        item.recommendation_id: item.digest for item in items
    }


async def test_25_items_of_400_kb_are_accepted(engine: Engine) -> None:
    """That is ten megabytes in one request, with each item trimmed to just under the limit."""
    items = _items(25, reasoning="x" * 450_000)
    result = await engine.write(items)
    assert len(result.stored) == 25
    assert engine.requests == 1
    assert limits.ITEM_BYTES - 1_024 < item_size(json.loads(items[0].body)) <= limits.ITEM_BYTES


async def test_items_that_grow_in_json_are_split_by_bytes(engine: Engine) -> None:
    """A control character takes six times as many bytes in a request as in the table."""
    items = _items(7, reasoning="\x01" * 400_000)
    assert [len(chunk) for chunk, _ in chunks(map(Put, items))] == [6, 1]
    assert len((await engine.write(items)).stored) == 7
    assert engine.requests == 2


@pytest.mark.parametrize("offender", [0, 11, 12, 24])
async def test_only_the_invalid_item_of_a_refused_chunk_is_rejected(engine: Engine, offender: int) -> None:
    """It is found in at most 2·log2(25)+1 requests; everything else is stored."""
    items = _items(25)
    items[offender] = _invalid(items[offender])
    result = await engine.write(items)
    assert result.rejected == [items[offender].recommendation_id]
    assert len(result.stored) == 24
    assert set(engine.items()) == set(result.stored)
    assert engine.requests <= 2 * math.log2(25) + 1


async def test_a_900_kb_recommendation_and_its_neighbours_are_stored(engine: Engine) -> None:
    """The neighbours are stored whole, and the cuts in the large one are marked."""
    texts = [body(recommendation={"log": "x" * 900_000}, retention=None), *bodies(6, retention=None)]
    await engine.write(_planned(*texts))
    stored = engine.items()
    assert len(stored) == 7
    assert [key for key, item in stored.items() if "truncated" in item["metadata"]["M"]] == [
        envelope().recommendation_id
    ]


async def test_a_missing_table_is_not_retried(engine: Engine) -> None:
    """There is one request, and the result has the engine's error code."""
    engine.table += "-missing"
    result = await engine.write(_items(3))
    assert set(result.unwritten.values()) == {"ResourceNotFoundException"}
    assert engine.requests == 1
    engine.table = engine.table.removesuffix("-missing")
