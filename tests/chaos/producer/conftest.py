"""What every test of the producer's behaviour under faults does at its end."""

import threading
import time
from collections.abc import Iterator

import pytest

from recommendation_producer._call_threads import NAME

PATIENCE = 15.0  # seconds; a call ends by its own timeouts long before


@pytest.fixture(autouse=True)
def _calls_end() -> Iterator[None]:
    """Wait for calls that were given up: their random delays would disturb Hypothesis in later tests."""
    yield
    ends = time.monotonic() + PATIENCE
    while any(thread.name == NAME for thread in threading.enumerate()) and time.monotonic() < ends:
        time.sleep(0.01)
