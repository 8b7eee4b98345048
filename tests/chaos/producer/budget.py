"""A producer that holds some envelopes, and flushes of it that must use up their budget but not exceed it."""

import contextlib
import time
from collections.abc import Iterator
from typing import Final

from recommendation_producer import Balance, RecommendationProducer
from tests.support.fakes.queue import balanced, recommendation

BUDGET: Final = 0.5  # seconds
LATE: Final = 1.0  # seconds beyond the budget, for a busy machine; on an idle one a flush is a millisecond late
PUNCTUAL: Final = 0.05  # seconds beyond the budget that are promised; the best of some tries keeps it even then
TRIES: Final = 6
COUNT: Final = 12  # envelopes


@contextlib.contextmanager
def producer_with(queue_url: str, endpoint_url: str) -> Iterator[RecommendationProducer]:
    """Yield a producer that holds envelopes; at the end its balance must hold, and nothing may be pending."""
    producer = RecommendationProducer(queue_url, "us-east-1", endpoint_url)
    for number in range(COUNT):
        assert producer.enqueue(**recommendation(number)).accepted
    yield producer
    started = time.monotonic()
    final = producer.close(timeout=0.0)
    assert time.monotonic() - started < BUDGET + LATE
    assert balanced(final)
    assert final.pending == 0


def flushed_in_time(producer: RecommendationProducer) -> Balance:
    """Flush with the budget, which the flush must use up but not exceed; return the balance.

    A single flush may be late by what a busy machine adds. One of a few has to be punctual.
    """
    lateness: list[float] = []
    while not lateness or (min(lateness) >= PUNCTUAL and len(lateness) < TRIES):
        started = time.monotonic()
        balance = producer.flush(BUDGET)
        lateness.append(time.monotonic() - started - BUDGET)
        assert 0 <= lateness[-1] < LATE
    assert min(lateness) < PUNCTUAL
    return balance
