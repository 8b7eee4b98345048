"""The producer with the real client, against a real HTTP server that speaks SQS's protocol."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest

from recommendation_producer import RecommendationProducer
from recommendation_shared.envelope import Envelope
from tests.support.fakes.queue import balanced, recommendation
from tests.support.servers.sqs_server import sqs_server

PLENTY = 60.0  # seconds


@pytest.fixture
def sqs(moto_server: str) -> Iterator[Any]:
    """A boto3 client of the server."""
    client = boto3.client("sqs", endpoint_url=moto_server, region_name="us-east-1")
    yield client
    client.close()


@pytest.fixture
def queue_url(sqs: Any) -> str:
    """A queue for this test alone."""
    url: str = sqs.create_queue(QueueName=f"producer-{uuid4().hex}")["QueueUrl"]
    return url


def receive_all(sqs: Any, queue_url: str) -> list[str]:
    """Receive and delete every message in the queue; return their bodies."""
    bodies: list[str] = []
    while True:
        messages = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
        if not messages:
            return bodies
        bodies += [message["Body"] for message in messages]
        sqs.delete_message_batch(
            QueueUrl=queue_url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ],
        )


def test_burst_of_a_thousand_arrives_exactly_and_in_full_batches() -> None:
    """Each envelope arrives once, with at least 9.5 entries a request and never more than ten."""
    with sqs_server() as server:
        producer = RecommendationProducer(server.queue_url, "us-east-1", server.url)
        for number in range(1_000):
            assert producer.enqueue(**recommendation(number)).accepted
        balance = producer.flush(PLENTY)
        producer.close()
        assert (balance.accepted, balance.sent, balance.pending, balance.dropped) == (1_000, 1_000, 0, {})
        assert sorted(server.arrived_numbers()) == list(range(1_000))
        assert max(server.batches) == 10
        assert sum(server.batches) / len(server.batches) >= 9.5


def test_single_envelope_is_sent_without_a_flush(sqs: Any, queue_url: str, moto_server: str) -> None:
    """It is sent within the age limit, once the client is open."""
    producer = RecommendationProducer(queue_url, "us-east-1", moto_server, max_age=0.2)
    producer.enqueue(**recommendation(0))
    producer.flush(PLENTY)  # opens the client, which takes longer than the age limit
    producer.enqueue(**recommendation(1))
    enqueued = time.monotonic()
    while producer.balance.sent < 2 and time.monotonic() - enqueued < PLENTY:
        time.sleep(0.005)
    waited = time.monotonic() - enqueued
    assert balanced(producer.close())
    assert len(receive_all(sqs, queue_url)) == 2
    assert 0.1 < waited < 2.0


def test_service_accepts_a_900_kb_body(sqs: Any, queue_url: str, moto_server: str) -> None:
    """It also accepts the other envelopes, although they do not fit into the same request."""
    producer = RecommendationProducer(queue_url, "us-east-1", moto_server)
    for number, size in enumerate((900_000, 900_000, 10)):
        assert producer.enqueue(**recommendation(number, recommendation={"text": "x" * size})).accepted
    assert producer.flush(PLENTY).sent == 3
    producer.close()
    assert sorted(len(Envelope.from_json(body).recommendation["text"]) for body in receive_all(sqs, queue_url)) == [
        10,
        900_000,
        900_000,
    ]


def test_missing_queue_is_counted_at_once_without_waiting(moto_server: str) -> None:
    """A misconfigured host must not pay for retries at every flush."""
    producer = RecommendationProducer(f"{moto_server}/123456789012/no-such-queue", "us-east-1", moto_server)
    producer.enqueue(**recommendation())
    assert producer.flush(PLENTY).dropped == {"send_failed": 1}
    producer.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_exit_right_after_the_enqueue_still_sends(sqs: Any, queue_url: str, moto_server: str, host: str) -> None:
    """The client is not open yet when the program ends, and the name must be resolved without an executor."""
    port = moto_server.rpartition(":")[2]
    program = (
        "from recommendation_producer import RecommendationProducer\n"
        "from tests.support.fakes.queue import recommendation\n"
        "import recommendation_producer._sending.sqs_client\n"  # so that the exit's second is not spent on imports
        f"producer = RecommendationProducer({queue_url!r}, 'us-east-1', 'http://{host}:{port}')\n"
        "producer.enqueue(**recommendation())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ)
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(receive_all(sqs, queue_url)) == 1


def test_trace_header_of_the_invocation_is_sent_as_a_system_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the real client, as SQS's protocol has it; moto ignores it in batches."""
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    with sqs_server() as server:
        producer = RecommendationProducer(server.queue_url, "us-east-1", server.url, max_age=PLENTY)
        producer.enqueue(**recommendation(0))
        monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
        producer.enqueue(**recommendation(1))
        assert producer.close(PLENTY).sent == 2
        assert server.system_attributes == [{}, {"AWSTraceHeader": {"DataType": "String", "StringValue": header}}]
