"""The AWS clients of a sandbox: one for DynamoDB and one for SQS, opened on first use and kept."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

import aioboto3
from aiobotocore.config import AioConfig

from recommendation_consumer.connections import PooledConnections
from recommendation_consumer.dynamodb_calls import DynamoDbCalls
from recommendation_consumer.observation import Call, Observer
from recommendation_shared.settings import Settings

# Timeouts in seconds; botocore's default of 60 would outlive the invocation. The writer does its own retries, because
# it knows the deadline and what is left to write. A batch of dead letters is sent whole, so botocore may retry it.
_WRITE_CONFIG: Final = AioConfig(
    connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 1}, http_session_cls=PooledConnections
)
_DEAD_LETTER_CONFIG: Final = AioConfig(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 2},
    http_session_cls=PooledConnections,
)


class Clients:
    """The clients for DynamoDB and SQS on one event loop. They stay open until `close`."""

    def __init__(self, settings: Settings) -> None:
        self._table_name = settings.table_name
        self._dlq_url = settings.require_dlq_url()
        self._region = settings.region
        self._session = aioboto3.Session()
        self._dynamodb: DynamoDbCalls | None = None
        self._sqs: Any = None
        self._observer: Observer | None = None
        self._opening = asyncio.Lock()
        self._exits = AsyncExitStack()

    async def open_dynamodb(self) -> DynamoDbCalls:
        """Return the DynamoDB client, which the first call creates. This does not open a connection."""
        async with self._opening:
            if self._dynamodb is None:
                client = await self._open("dynamodb", _WRITE_CONFIG)
                self._dynamodb = DynamoDbCalls(client, await self._session.get_credentials(), self._table_name)
            return self._dynamodb

    async def batch_write(self, body: bytes) -> Mapping[str, Any]:
        """Send the body of a BatchWriteItem request; return the response."""
        return await self._call("BatchWriteItem", body)

    async def put_item(self, body: bytes) -> Mapping[str, Any]:
        """Send the body of a PutItem request; return the response."""
        return await self._call("PutItem", body)

    async def query(self, body: bytes) -> Mapping[str, Any]:
        """Send the body of a Query request; return the response."""
        return await self._call("Query", body)

    def observe(self, observer: Observer) -> None:
        """Let `observer` see each later DynamoDB call."""
        self._observer = observer

    async def _call(self, operation: str, body: bytes) -> Mapping[str, Any]:
        calls = await self.open_dynamodb()
        if self._observer is None:
            return await calls.send(operation, body)
        with self._observer(Call(operation, self._table_name, self._region)):
            return await calls.send(operation, body)

    async def send_dead_letters(self, entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Send up to ten entries to the dead-letter queue; return the response."""
        async with self._opening:
            if self._sqs is None:
                self._sqs = await self._open("sqs", _DEAD_LETTER_CONFIG)
        response: Mapping[str, Any] = await self._sqs.send_message_batch(QueueUrl=self._dlq_url, Entries=entries)
        return response

    async def _open(self, service: str, config: AioConfig) -> Any:
        return await self._exits.enter_async_context(
            self._session.client(service, region_name=self._region, config=config)
        )

    async def close(self) -> None:
        """Close the connections."""
        self._dynamodb = self._sqs = None
        await self._exits.aclose()
