"""The producer's own rows: its sender drains into a client that answers at once, or waits for one that never does."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from benchmarks.producer.latency import Subject
from recommendation_producer import RecommendationProducer
from recommendation_shared.exact_json import dump

QUEUE_URL: Final = "http://127.0.0.1/000000000000/opx-recommendations"  # never connected to


class StubClient:
    """Stands in for the SQS client: accepts every entry after `latency` seconds."""

    def __init__(self, latency: float = 0.0) -> None:
        self._latency = latency

    def send_message_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - boto3's names
        Entries: list[dict[str, Any]],  # noqa: N803 - boto3's names
    ) -> Mapping[str, Any]:
        """Accept every entry."""
        if self._latency:
            time.sleep(self._latency)
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def open(self) -> "StubClient":
        """Stand in for the factory of the client."""
        return self


@contextmanager
def enqueue(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield `producer.enqueue` of one recommendation."""
    producer = RecommendationProducer(QUEUE_URL, client_factory=StubClient().open)
    yield Subject(lambda: producer.enqueue(**fields), lambda: producer.flush(timeout=30.0))
    balance = producer.close(timeout=30.0)
    if balance.sent != balance.accepted:
        raise RuntimeError(f"the row measured refused envelopes, not enqueued ones: {balance}")


@contextmanager
def enqueue_without_orjson(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield `producer.enqueue` in a host that has no orjson."""
    with patch.object(dump, "ORJSON", None), enqueue(fields) as subject:
        yield subject


@contextmanager
def enqueue_parked(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield `producer.enqueue` while the sender waits for responses that never come: every envelope stays buffered."""
    producer = RecommendationProducer(QUEUE_URL, client_factory=StubClient(latency=3600.0).open)
    yield Subject(lambda: producer.enqueue(**fields))
    balance = producer.balance
    producer.close(timeout=0.0)
    if balance.pending != balance.accepted:
        raise RuntimeError(f"the row measured refused envelopes, not enqueued ones: {balance}")
