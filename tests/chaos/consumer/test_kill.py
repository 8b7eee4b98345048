"""A function that is killed during a batch, as for memory or time: the next delivery completes the batch."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from recommendation_consumer.handler import handler
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item
from tests.support.lambdas.event import Context, body, event, named
from tests.support.lambdas.sandbox import lambda_sandbox
from tests.support.servers.aws_server import HANG, STALL, AwsServer, aws_server

PATIENCE: Final = 30.0  # seconds
TEXTS: Final = [body(incident_id=f"incident-{number}", retention=None) for number in range(30)]
MESSAGES: Final = event(*TEXTS, "poison")
PROGRAM: Final = """
import json, sys
from recommendation_consumer.handler import handler
from tests.support.lambdas.event import Context
handler(json.load(sys.stdin), Context())
"""


@pytest.fixture
def server() -> Iterator[AwsServer]:
    """A healthy server."""
    with aws_server() as running:
        yield running


def _kill_while(server: AwsServer, requests: list[Any], count: int) -> None:
    """Start the function in its own process, and kill it once `requests` holds `count` requests."""
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": server.url,
        "RECOMMENDATIONS_TABLE": "recommendations",
        "RECOMMENDATIONS_DLQ_URL": server.dlq_url,
    }
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(MESSAGES))
        process.stdin.close()
        deadline = time.monotonic() + PATIENCE
        while len(requests) < count and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.005)
        process.kill()
    assert len(requests) == count


def _redeliver(server: AwsServer) -> None:
    """Deliver the batch to another sandbox, as SQS does after the visibility timeout."""
    server.table.last = server.queue.last = None
    with lambda_sandbox(server.url, server.dlq_url):
        assert named(handler(MESSAGES, Context())) == []
    expected = [encode_item(read_envelope(text)) for text in TEXTS]
    assert server.items == {item.recommendation_id: json.loads(item.body) for item in expected}


@pytest.mark.parametrize("fault", [HANG, STALL])
def test_function_killed_during_a_write_leaves_everything_to_the_next_delivery(server: AwsServer, fault: str) -> None:
    """Whether or not the table accepted the write; the poison has not been dead-lettered yet."""
    server.table.last = fault
    _kill_while(server, server.table.requests, 2)
    assert not server.dead_letters
    assert len(server.items) == (30 if fault == STALL else 0)
    _redeliver(server)
    assert server.bodies() == ["poison"]


def test_function_killed_while_dead_lettering_leaves_a_second_dead_letter(server: AwsServer) -> None:
    """That is better than none; both carry the same original message ID."""
    server.queue.last = STALL
    _kill_while(server, server.queue.requests, 1)
    _redeliver(server)
    assert server.bodies() == ["poison", "poison"]
    assert {entry["MessageAttributes"]["originalMessageId"]["StringValue"] for entry in server.dead_letters} == {"m30"}
