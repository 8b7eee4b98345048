"""The consumers under comparison: ours, and those that a good developer would write with the usual libraries."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from benchmarks.support.lambda_runtime import REGION, LambdaContext

# Each consumer imports its libraries when it is opened, so that its process loads no others.
# ruff: noqa: PLC0415

TABLE: Final = "opx-agent-recommendations"
Handle = Callable[[dict[str, Any]], Mapping[str, Any]]  # event -> partial batch response


def play_lambda(url: str) -> None:
    """Set up this process as a Lambda sandbox: credentials, region, endpoint, and a log that is discarded."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
        "AWS_LAMBDA_FUNCTION_NAME": "opx-recommendation-consumer",
        "RECOMMENDATIONS_TABLE": TABLE,
        "RECOMMENDATIONS_DLQ_URL": f"{url}/000000000000/opx-recommendations-dlq",
    }
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - open as long as the process


def ours() -> Handle:
    """Return the real handler."""
    from recommendation_consumer.handler import handler

    context = LambdaContext()
    return lambda event: handler(event, context)


def put_item() -> Handle:
    """Return Powertools' batch processor with one `put_item` per record."""
    import boto3
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

    table = boto3.resource("dynamodb").Table(TABLE)
    processor = BatchProcessor(EventType.SQS)

    def put(record: Any) -> None:
        # As Decimal, because boto3 refuses floats.
        item = json.loads(record.body, parse_float=Decimal)
        table.put_item(Item={**item, "ttl": _ttl(item["timestamp"], item["retention"])})

    return lambda event: process_partial_response(event, put, processor)


def batch_writer() -> Handle:
    """Return Powertools with a pydantic model; boto3's `batch_writer` writes the collected items."""
    import boto3

    table = boto3.resource("dynamodb").Table(TABLE)
    parse = _parser()

    def handle(event: dict[str, Any]) -> Mapping[str, Any]:
        items, response = parse(event)
        with table.batch_writer(overwrite_by_pkeys=["recommendationId"]) as batch:
            for item in items:
                batch.put_item(Item=item)
        return response

    return handle


def async_batch_writer() -> Handle:
    """Return the same with aioboto3, which reuses its loop and its connections in later invocations."""
    import aioboto3

    runner = asyncio.Runner()
    parse = _parser()

    async def open_table() -> Any:
        resource = await aioboto3.Session().resource("dynamodb").__aenter__()
        return await resource.Table(TABLE)

    table = runner.run(open_table())

    async def write(items: Sequence[dict[str, Any]]) -> None:
        async with table.batch_writer(overwrite_by_pkeys=["recommendationId"]) as batch:
            for item in items:
                await batch.put_item(Item=item)

    def handle(event: dict[str, Any]) -> Mapping[str, Any]:
        items, response = parse(event)
        runner.run(write(items))
        return response

    return handle


def low_level(**config: Any) -> Handle:
    """Return boto3's low-level client with its serialiser: 25 items per request, unprocessed items sent again."""
    import boto3
    from boto3.dynamodb.types import TypeSerializer
    from botocore.config import Config

    client = boto3.client("dynamodb", config=Config(**config))
    serialize = TypeSerializer().serialize
    parse = _parser()

    def handle(event: dict[str, Any]) -> Mapping[str, Any]:
        items, response = parse(event)
        puts = [
            {"PutRequest": {"Item": {name: serialize(value) for name, value in item.items()}}}
            for item in {item["recommendationId"]: item for item in items}.values()
        ]
        for start in range(0, len(puts), 25):
            pending = {TABLE: puts[start : start + 25]}
            while pending:
                pending = client.batch_write_item(RequestItems=pending)["UnprocessedItems"]
        return response

    return handle


def low_level_unchecked() -> Handle:
    """Return the same without botocore's parameter validation."""
    return low_level(parameter_validation=False)


def _parser() -> Callable[[dict[str, Any]], tuple[list[dict[str, Any]], Mapping[str, Any]]]:
    """Return a function that returns an event's valid items, and the response that names the other messages."""
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
    from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
    from pydantic.alias_generators import to_camel

    class Recommendation(BaseModel):
        model_config = ConfigDict(alias_generator=to_camel, extra="allow")

        schema_version: int
        recommendation_id: str
        incident_id: str = Field(min_length=1, max_length=1024)
        execution_id: str = Field(min_length=1, max_length=1024)
        agent_type: str = Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")
        timestamp: AwareDatetime
        recommendation: dict[str, Any]
        confidence: Decimal | None = Field(None, ge=0, le=1)
        reasoning: str = ""
        citations: list[dict[str, Any]] = []
        metadata: dict[str, Any] = {}
        retention: int | None = 90

    processor = BatchProcessor(EventType.SQS)

    def parse(event: dict[str, Any]) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
        items: list[dict[str, Any]] = []

        def collect(record: Any) -> None:
            parsed = Recommendation.model_validate(json.loads(record.body, parse_float=Decimal))
            item = {**parsed.model_dump(by_alias=True), "timestamp": parsed.timestamp.isoformat()}
            items.append({**item, "ttl": _ttl(item["timestamp"], parsed.retention)})

        return items, process_partial_response(event, collect, processor)

    return parse


def _ttl(timestamp: str, days: int | None) -> int | None:
    if days is None:
        return None
    return int((datetime.fromisoformat(timestamp).astimezone(UTC) + timedelta(days=days)).timestamp())
