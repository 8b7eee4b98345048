"""An engine's verdict on an ordinary recommendation shows whether the table rejects all of them."""

import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import boto3
import pytest

from recommendation_consumer.clients import Clients
from recommendation_consumer.table_check import table_fault
from recommendation_shared.settings import Settings
from tests.support.fakes.aws import dependencies
from tests.support.fakes.recommendation_table import create_table


@pytest.fixture
async def clients(dynalite: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clients]:
    """The consumer's clients, for a table that the test creates."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", dynalite)
    clients = Clients(Settings(dlq_url="http://127.0.0.1/dlq"))
    yield clients
    await clients.close()


async def _fault(table: str, clients: Clients) -> str | None:
    outside = dependencies(settings=Settings(table_name=table), put_item=clients.put_item, monotonic=time.monotonic)
    return await table_fault(time.monotonic() + 30, outside)


def _create(client: Any, table: str, key: str, key_type: str, **index_types: str) -> None:
    types = {key: key_type, **index_types}
    indexes: dict[str, Any] = {
        "GlobalSecondaryIndexes": [
            {
                "IndexName": f"{name}-index",
                "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
            for name in index_types
        ]
    }
    client.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()],
        **(indexes if index_types else {}),
    )
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})


async def test_the_real_tables_keys_accept_an_ordinary_recommendation(dynalite: str, clients: Clients) -> None:
    """And nothing is written."""
    dynamodb, table = boto3.client("dynamodb", endpoint_url=dynalite), f"check-{uuid4().hex}"
    create_table(dynamodb, table)
    assert await _fault(table, clients) is None
    assert dynamodb.scan(TableName=table)["Items"] == []
    dynamodb.delete_table(TableName=table)


@pytest.mark.parametrize(
    ("key", "key_type", "index_types"),
    [("id", "S", {}), ("recommendationId", "N", {}), ("recommendationId", "S", {"confidence": "S"})],
    ids=["another key", "a key of another type", "an index on an attribute of another type"],
)
async def test_a_table_with_other_keys_is_at_fault(
    dynalite: str, clients: Clients, key: str, key_type: str, index_types: dict[str, str]
) -> None:
    """No recommendation is poison because of the table."""
    dynamodb, table = boto3.client("dynamodb", endpoint_url=dynalite), f"check-{uuid4().hex}"
    _create(dynamodb, table, key, key_type, **index_types)
    assert await _fault(table, clients) == "ValidationException"
    dynamodb.delete_table(TableName=table)


async def test_a_missing_table_is_at_fault(clients: Clients) -> None:
    """It was deleted after it had rejected something."""
    assert await _fault(f"missing-{uuid4().hex}", clients) == "ResourceNotFoundException"
