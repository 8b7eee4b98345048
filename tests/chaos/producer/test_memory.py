"""The bounds of the buffer are bounds of real memory, while a queue that never answers lets nothing leave."""

import json
import subprocess
import sys
from typing import Final

import pytest

from tests.support.servers.fault_server import HANG, fault_server

MIB: Final = 1024 * 1024
# Beyond the bodies: what one envelope costs in the buffer (measured: 140 bytes), and copies of the batches under way,
# of which there are four of at most 1 MiB, each as text, as JSON and as the client's request.
PER_ENVELOPE: Final = 300
UNDER_WAY: Final = 24 * MIB

PROGRAM: Final = """
import gc, json, logging, sys, tracemalloc
from recommendation_producer import RecommendationProducer
from tests.support.fakes.queue import balanced, recommendation
import recommendation_producer._sqs_client
logging.getLogger("producer").setLevel(logging.CRITICAL)
queue_url, endpoint, size, max_bytes, max_items, offered = sys.argv[1:3] + [int(text) for text in sys.argv[3:]]

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096

made = RecommendationProducer(queue_url, "us-east-1", endpoint, max_bytes=max_bytes, max_items=max_items)
made.enqueue(**recommendation(0))
made.flush(0.7)  # the client is open by then, and hangs
gc.collect()
resident_before = resident()
tracemalloc.start()
text = "ü" * (size // 2)
for number in range(1, offered):
    made.enqueue(**recommendation(number, recommendation={"text": text}))
    if number % (offered // 8) == 0:
        made.flush(0.02)  # what is refused is refused at once; what is held is tried to be sent
balance = made.balance
assert balanced(balance), balance
print(json.dumps({
    "peak": tracemalloc.get_traced_memory()[1],
    "resident": resident() - resident_before,
    "pending": balance.pending,
    "refused": balance.dropped["buffer_full"],
}))
made.close(0)
"""


@pytest.mark.parametrize(
    ("size", "max_bytes", "max_items", "offered"),
    [(5_000, 16 * MIB, 10_000, 8_000), (900_000, 16 * MIB, 10_000, 160), (500, 16 * MIB, 5_000, 10_000)],
    ids=["5 KB", "900 KB", "by count"],
)
def test_dead_queue_costs_the_bound_and_a_stated_overhead(
    size: int, max_bytes: int, max_items: int, offered: int
) -> None:
    """By the interpreter's count and by the system's; far more is offered than fits."""
    with fault_server() as server:
        server.fault = HANG
        arguments = [server.queue_url, server.url, *map(str, (size, max_bytes, max_items, offered))]
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False
        )
        assert server.faults[HANG] > 0
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout.splitlines()[-1])
    print(told)  # noqa: T201 - pytest shows it when the test fails
    bound = min(max_bytes, max_items * (size + 300)) + told["pending"] * PER_ENVELOPE + UNDER_WAY
    assert told["refused"] > 0
    assert told["pending"] * size > 0.8 * min(max_bytes, max_items * size)
    assert told["peak"] < bound
    assert told["resident"] < bound + 8 * MIB  # tracemalloc's own tables, and what the allocator keeps
