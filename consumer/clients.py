"""The AWS clients of a sandbox: one each for its whole life, opened at the first use."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from contextvars import ContextVar
from io import BytesIO
from typing import Any, Final

import aioboto3
from botocore.config import Config

# Seconds and attempts. The defaults of 60 s would outlive the invocation. Retries are the writer's own, because it
# knows the deadline and what is left to write; a dead letter is sent whole, so botocore may retry it.
_WRITE_CONFIG: Final = Config(
    connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 1}, parameter_validation=False
)
_DEAD_LETTER_CONFIG: Final = Config(
    connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2}
)

_LARGE_BODY: Final = 1024 * 1024  # bytes; above it aiohttp warns, because one write of it all holds up the event loop

_ready_body: ContextVar[bytes] = ContextVar("ready_body")  # one value for each task, so for each request in flight


class Clients:
    """DynamoDB and SQS for one event loop; what is opened stays open until `close`."""

    def __init__(self, table_name: str, dlq_url: str, region: str | None = None) -> None:
        self._table_name = table_name
        self._dlq_url = dlq_url
        self._region = region
        self._session = aioboto3.Session()
        self._opened: dict[str, Any] = {}
        self._opening = asyncio.Lock()
        self._exits = AsyncExitStack()

    async def batch_write(self, body: bytes) -> Mapping[str, Any]:
        """Send a ready BatchWriteItem body; return the response."""
        client = await self._client("dynamodb", _WRITE_CONFIG)
        _ready_body.set(body)
        response: Mapping[str, Any] = await client.batch_write_item(RequestItems={self._table_name: []})
        return response

    async def put_item(self, body: bytes) -> Mapping[str, Any]:
        """Send a ready PutItem body; return the response."""
        client = await self._client("dynamodb", _WRITE_CONFIG)
        _ready_body.set(body)
        response: Mapping[str, Any] = await client.put_item(TableName=self._table_name, Item={})
        return response

    async def send_batch(self, entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Send up to ten entries to the dead-letter queue; return the response."""
        client = await self._client("sqs", _DEAD_LETTER_CONFIG)
        response: Mapping[str, Any] = await client.send_message_batch(QueueUrl=self._dlq_url, Entries=entries)
        return response

    async def _client(self, service: str, config: Config) -> Any:
        async with self._opening:
            if service not in self._opened:
                client = await self._exits.enter_async_context(
                    self._session.client(service, region_name=self._region, config=config)
                )
                client.meta.events.register("before-call.dynamodb", _replace_body)
                self._opened[service] = client
            return self._opened[service]

    async def close(self) -> None:
        """Close the connections."""
        self._opened.clear()
        await self._exits.aclose()


def _replace_body(params: dict[str, Any], **_: Any) -> None:
    """Put the ready body in the place of the serialised one, before the request is signed.

    The items were encoded once, straight to DynamoDB's JSON; to hand them over as Python objects would build,
    check and serialise them all a second time, which is most of a bulk write's CPU time.
    """
    body = _ready_body.get()
    params["body"] = body if len(body) <= _LARGE_BODY else BytesIO(body)
