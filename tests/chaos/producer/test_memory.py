"""The buffer's limits are limits of real memory, even if the queue never responds and nothing can leave."""

import json
import subprocess
import sys
from typing import Final

import pytest

from tests.support.servers.sqs_server import HANG, sqs_server

MIB: Final = 1024 * 1024
# Besides the bodies: the overhead of an envelope in the buffer (measured: 140 bytes), and copies of the batches in
# flight, of which there are four of at most 1 MiB, each as text, as JSON and as the client's request.
PER_ENVELOPE: Final = 300
IN_FLIGHT: Final = 24 * MIB

PROGRAM: Final = """
import gc, json, logging, sys, tracemalloc
from benchmarks.support.memory import resident_bytes
from recommendation_producer import RecommendationProducer
from tests.support.fakes.queue import balanced, recommendation
import recommendation_producer._sending.sqs_client  # loads the AWS client's modules before memory is measured
logging.getLogger("recommendation_producer").setLevel(logging.CRITICAL)
queue_url, endpoint, size, max_bytes, max_items, offered = sys.argv[1:3] + [int(text) for text in sys.argv[3:]]

producer = RecommendationProducer(queue_url, "us-east-1", endpoint, max_bytes=max_bytes, max_items=max_items)
producer.enqueue(**recommendation(0))
producer.flush(0.7)  # by then the client is open, and hangs
gc.collect()
resident_before = resident_bytes()
tracemalloc.start()
text = "ü" * (size // 2)
for number in range(1, offered):
    producer.enqueue(**recommendation(number, recommendation={"text": text}))
    if number % (offered // 8) == 0:
        producer.flush(0.02)  # attempts to send what the buffer holds
balance = producer.balance
assert balanced(balance), balance
print(json.dumps({
    "peak": tracemalloc.get_traced_memory()[1],
    "resident": resident_bytes() - resident_before,
    "pending": balance.pending,
    "refused": balance.dropped["buffer_full"],
}))
producer.close(0)
"""


@pytest.mark.parametrize(
    ("size", "max_bytes", "max_items", "offered"),
    [(5_000, 16 * MIB, 10_000, 8_000), (900_000, 16 * MIB, 10_000, 160), (500, 16 * MIB, 5_000, 10_000)],
    ids=["5 KB", "900 KB", "by count"],
)
def test_unresponsive_queue_costs_the_limit_and_a_stated_overhead(
    size: int, max_bytes: int, max_items: int, offered: int
) -> None:
    """As measured by the interpreter and by the system, while far more is enqueued than fits."""
    with sqs_server() as server:
        server.fault = HANG
        arguments = [server.queue_url, server.url, *map(str, (size, max_bytes, max_items, offered))]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False
        )
        assert server.faults[HANG] > 0
    assert (done.returncode, done.stderr) == (0, "")
    measured = json.loads(done.stdout.splitlines()[-1])
    print(measured)  # noqa: T201 - pytest shows it if the test fails
    bound = min(max_bytes, max_items * (size + 300)) + measured["pending"] * PER_ENVELOPE + IN_FLIGHT
    assert measured["refused"] > 0
    assert measured["pending"] * size > 0.8 * min(max_bytes, max_items * size)
    assert measured["peak"] < bound
    assert measured["resident"] < bound + 8 * MIB  # tracemalloc's own tables, and what the allocator keeps
