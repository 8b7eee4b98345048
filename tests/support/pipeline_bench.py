"""The chaos run's proxy by itself: one fault, a service that says yes to everything, and clients that do not retry."""

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
SILENCE: Final = 0.4  # seconds without an answer
NEVER: Final = Rates(**dict.fromkeys(KINDS, 0.0), latency_seconds=0.1, silence_seconds=SILENCE)
TEN: Final = [str(number) for number in range(10)]

Document = dict[str, Any]


class Service:
    """Says yes to everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Document] = []
        self.messages: list[Document] = []

    async def serve(self, request: web.Request) -> web.Response:
        """Answer as SQS or DynamoDB does."""
        document = orjson.loads(await request.read())
        self.asked.append(document)
        done = {"Successful": [{"Id": one["Id"], "MessageId": "m"} for one in document.get("Entries", [])]}
        answers: Mapping[str, Document] = {
            "SendMessageBatch": done,
            "DeleteMessageBatch": done,
            "ReceiveMessage": {"Messages": self.messages[: document.get("MaxNumberOfMessages")]},
            "BatchWriteItem": {"UnprocessedItems": {}},
            "PutItem": {},
        }
        answer = answers[request.headers["X-Amz-Target"].rpartition(".")[2]]
        return web.Response(body=orjson.dumps(answer), content_type="application/x-amz-json-1.0")

    @property
    def sent(self) -> list[str]:
        """The bodies that arrived."""
        return [entry["MessageBody"] for document in self.asked for entry in document["Entries"]]

    @property
    def written(self) -> list[str]:
        """The keys that arrived."""
        puts = [put for document in self.asked for put in document["RequestItems"]["table"]]
        return [put["PutRequest"]["Item"]["recommendationId"]["S"] for put in puts]


class Bench:
    """A proxy under one fault, the service behind it, and clients before it that do not retry."""

    def __init__(self, proxy: FaultProxy, service: Service, patience: float) -> None:
        self.proxy = proxy
        self.service = service
        config = Config(read_timeout=patience, retries={"total_max_attempts": 1})
        self._sqs = boto3.client("sqs", endpoint_url=proxy.url, config=config)
        self._dynamodb = boto3.client("dynamodb", endpoint_url=proxy.url, config=config)

    async def call(self, name: str, **parameters: Any) -> Any:
        """Make a call of ten entries, as the pipeline's processes make it."""
        entries = [{"Id": one, "MessageBody": f"body {one}"} for one in TEN]
        receipts = [{"Id": one, "ReceiptHandle": f"receipt {one}"} for one in TEN]
        puts = [{"PutRequest": {"Item": {"recommendationId": {"S": one}}}} for one in TEN]
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
async def bench(patience: float = 20.0, **rates: float) -> AsyncIterator[Bench]:
    """Run a proxy with these chances, and no other fault; its clients wait `patience` seconds for an answer."""
    service = Service()
    application = web.Application()
    application.router.add_post("/{path:.*}", service.serve)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    url = f"http://{HOST}:{runner.addresses[0][1]}"
    try:
        async with FaultProxy(url, url, DLQ, Dice(7, replace(NEVER, **rates))) as proxy:
            yield Bench(proxy, service, patience)
    finally:
        await runner.cleanup()
