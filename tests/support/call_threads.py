"""Waits for the producer's calls that outlive a test, because their random delays would disturb Hypothesis later."""

import threading
import time
from collections.abc import Iterator

import pytest

from recommendation_producer._sending.call_threads import NAME

PATIENCE = 15.0  # seconds; a call ends by its own timeouts long before


@pytest.fixture(autouse=True)
def calls_end() -> Iterator[None]:
    """Wait for the calls of this test only: those of earlier tests may hang forever on purpose."""
    earlier = set(threading.enumerate())
    yield
    ends = time.monotonic() + PATIENCE
    while any(thread.name == NAME for thread in set(threading.enumerate()) - earlier) and time.monotonic() < ends:
        time.sleep(0.01)
