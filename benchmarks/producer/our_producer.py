"""The producer's own rows: its sender drains into a client that answers at once, or waits for one that never does."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from benchmarks.producer.latency import Subject
from recommendation_producer import RecommendationProducer

QUEUE_URL: Final = "http://127.0.0.1/000000000000/opx-recommendations"  # never connected to


class StubClient:
    """Stands in for the SQS client: accepts every entry after `latency` seconds."""

    def __init__(self, latency: float = 0.0) -> None:
        self._latency = latency

    async def send_message_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - boto3's names
        Entries: list[dict[str, Any]],  # noqa: N803 - boto3's names
    ) -> Mapping[str, Any]:
        """Accept every entry."""
        if self._latency:
            await asyncio.sleep(self._latency)
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    @asynccontextmanager
    async def context(self) -> AsyncIterator["StubClient"]:
        """Stand in for the client's context manager."""
        yield self


@contextmanager
def enqueue(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield `producer.enqueue` of one recommendation."""
    producer = RecommendationProducer(QUEUE_URL, client_factory=StubClient().context)
    yield Subject(lambda: producer.enqueue(**fields), lambda: producer.flush(timeout=30.0))
    balance = producer.close(timeout=30.0)
    if balance.sent != balance.accepted:
        raise RuntimeError(f"the row measured refused envelopes, not enqueued ones: {balance}")


@contextmanager
def enqueue_parked(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield `producer.enqueue` while the sender waits for responses that never come: every envelope stays buffered."""
    producer = RecommendationProducer(QUEUE_URL, client_factory=StubClient(latency=3600.0).context)
    yield Subject(lambda: producer.enqueue(**fields))
    balance = producer.balance
    producer.close(timeout=0.0)
    if balance.pending != balance.accepted:
        raise RuntimeError(f"the row measured refused envelopes, not enqueued ones: {balance}")
