"""Redelivery to an engine that enforces DynamoDB's limits (dynalite), through the real handler and client."""

import json
import random
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from recommendation_consumer.handler import handler
from tests.support.fakes.recommendation_table import create_table
from tests.support.lambdas.event import Context, again, bodies, body, named, record
from tests.support.lambdas.sandbox import lambda_sandbox
from tests.support.servers.aws_server import aws_server

CONTENT = {"numbers": [0.1, 1e-7, 1.0, 10**37], "text": "schön 🔥", "deep": {"a": [{"b": None}]}, "empty": [{}, [], ""]}


@pytest.fixture
def items(dynalite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Create the table and a sandbox that writes to it; return a function that reads the table's items as JSON."""
    with aws_server() as queue:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynalite)
        client = boto3.client("dynamodb", endpoint_url=dynalite)
        create_table(client, "recommendations")

        def read() -> list[str]:
            pages = client.get_paginator("scan").paginate(TableName="recommendations")
            return sorted(json.dumps(item, sort_keys=True) for page in pages for item in page["Items"])

        with lambda_sandbox(queue.url, queue.dlq_url):
            yield read
        client.delete_table(TableName="recommendations")
        client.close()


def test_redelivery_in_any_order_and_any_batches_changes_nothing(items: Any) -> None:
    """Including duplicates, conflicts, and conflicts that are redelivered alone."""
    texts = bodies(60, retention=None, recommendation=CONTENT)
    records = [record(f"m{number}", text, number) for number, text in enumerate([*texts, *texts[:20]])]
    conflicts = [record(f"c{number}", body(f"agent-{number}", retention=None), 1_000) for number in range(5)]
    assert named(handler({"Records": [*records, *conflicts]}, Context())) == []
    before = items()
    assert len(before) == 60
    shuffled = random.Random(4)
    for _ in range(4):
        shuffled.shuffle(records)
        middle = shuffled.randrange(len(records))
        for batch in (records[:middle], records[middle:]):
            assert named(handler({"Records": batch}, Context())) == []
        assert named(handler({"Records": list(map(again, conflicts))}, Context())) == []
        assert items() == before
        whole = [*map(again, records), *conflicts]
        shuffled.shuffle(whole)
        assert named(handler({"Records": whole}, Context())) == []
        assert items() == before
