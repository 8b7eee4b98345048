"""A test bench for the fault proxy: one kind of fault, a service that always succeeds, and clients that never retry."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import boto3
import orjson
from aiohttp import web
from botocore.config import Config

from infra.local.ports import HOST
from tests.chaos.pipeline.faults.proxy import FaultProxy
from tests.chaos.pipeline.faults.rates import (
    DEAD_LETTER,
    DELETE,
    KINDS,
    RECEIVE,
    SEND,
    WRITE,
    WRITE_ONE,
    Dice,
    Rates,
)

QUEUE: Final = "http://127.0.0.1/1/queue"
DLQ: Final = "http://127.0.0.1/1/queue-dlq"
SILENCE: Final = 0.4  # seconds without a response
NEVER: Final = Rates(**dict.fromkeys(KINDS, 0.0), latency_seconds=0.1, silence_seconds=SILENCE)
TEN: Final = [str(number) for number in range(10)]

Document = dict[str, Any]


class Service:
    """Stands in for SQS and DynamoDB: every call succeeds and is recorded in `requests`."""

    def __init__(self) -> None:
        self.requests: list[Document] = []
        self.messages: list[Document] = []
        self.items: list[Document] = []  # responses to the next calls of GetItem

    async def serve(self, request: web.Request) -> web.Response:
        """Respond with success, as SQS or DynamoDB does."""
        document = orjson.loads(await request.read())
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        if operation == "GetItem":  # the proxy's own call, for the table's stream
            return web.Response(body=orjson.dumps(self.items.pop(0) if self.items else {}))
        self.requests.append(document)
        successful = {"Successful": [{"Id": entry["Id"], "MessageId": "m"} for entry in document.get("Entries", [])]}
        responses: Mapping[str, Document] = {
            "SendMessageBatch": successful,
            "DeleteMessageBatch": successful,
            "ReceiveMessage": {"Messages": self.messages[: document.get("MaxNumberOfMessages")]},
            "BatchWriteItem": {"UnprocessedItems": {}},
            "PutItem": {},
        }
        response = responses[operation]
        return web.Response(body=orjson.dumps(response), content_type="application/x-amz-json-1.0")

    @property
    def sent(self) -> list[str]:
        """The message bodies that arrived."""
        return [entry["MessageBody"] for document in self.requests for entry in document["Entries"]]

    @property
    def written(self) -> list[str]:
        """The keys of the items that arrived."""
        puts = [put for document in self.requests for put in document["RequestItems"]["table"]]
        return [put["PutRequest"]["Item"]["recommendationId"]["S"] for put in puts]


class Bench:
    """The proxy, the service behind it, and clients in front of it that never retry."""

    def __init__(self, proxy: FaultProxy, service: Service, read_timeout: float) -> None:
        self.proxy = proxy
        self.service = service
        config = Config(read_timeout=read_timeout, retries={"total_max_attempts": 1}, user_agent_appid="consumer-2")
        self._sqs = boto3.client("sqs", endpoint_url=proxy.url, config=config)
        self._dynamodb = boto3.client("dynamodb", endpoint_url=proxy.url, config=config)

    async def call(self, name: str, **parameters: Any) -> Any:
        """Make a call with ten entries, as the pipeline's processes do."""
        entries = [{"Id": key, "MessageBody": f"body {key}"} for key in TEN]
        receipts = [{"Id": key, "ReceiptHandle": f"receipt {key}"} for key in TEN]
        puts = [{"PutRequest": {"Item": {"recommendationId": {"S": key}}}} for key in TEN]
        calls: Mapping[str, Callable[[], Any]] = {
            SEND: lambda: self._sqs.send_message_batch(QueueUrl=QUEUE, Entries=entries),
            DEAD_LETTER: lambda: self._sqs.send_message_batch(QueueUrl=DLQ, Entries=entries),
            RECEIVE: lambda: self._sqs.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10),
            DELETE: lambda: self._sqs.delete_message_batch(**{"QueueUrl": QUEUE, "Entries": receipts, **parameters}),
            WRITE: lambda: self._dynamodb.batch_write_item(RequestItems={"table": puts}),
            WRITE_ONE: lambda: self._dynamodb.put_item(TableName="table", Item=puts[0]["PutRequest"]["Item"]),
        }
        return await asyncio.to_thread(calls[name])


@asynccontextmanager
async def bench(read_timeout: float = 20.0, **rates: float) -> AsyncIterator[Bench]:
    """Run a proxy that injects faults at these rates and no others; `read_timeout` is the clients', in seconds."""
    service = Service()
    application = web.Application()
    application.router.add_post("/{path:.*}", service.serve)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    url = f"http://{HOST}:{runner.addresses[0][1]}"
    try:
        async with FaultProxy(url, url, DLQ, Dice(7, replace(NEVER, **rates)), "table") as proxy:
            yield Bench(proxy, service, read_timeout)
    finally:
        await runner.cleanup()
