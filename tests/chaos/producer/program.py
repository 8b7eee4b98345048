"""Run a short program with a producer in its own process, where forks, signals and exits are real."""

import os
import signal
import subprocess
import sys
import textwrap
import time

PRELUDE = """
import gc, json, logging, os, signal, sys, threading, time
from recommendation_producer import RecommendationProducer
from tests.support.fakes.queue import BlackHole, FakeQueue, QUEUE_URL, balanced, recommendation

PARENT = os.getpid()

class PrintingQueue(FakeQueue):
    def send_message_batch(self, *, QueueUrl, Entries):
        for entry in Entries:
            number = json.loads(entry["MessageBody"])["recommendation"]["number"]
            os.write(1, f"sent {number} by {'parent' if os.getpid() == PARENT else 'child'}\\n".encode())
        return super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

logging.getLogger("recommendation_producer").setLevel(logging.CRITICAL)  # stderr is for failures of the test itself
queue = PrintingQueue()

def open_producer(**options):
    return RecommendationProducer(QUEUE_URL, **{"client_factory": queue.client, "jitter": lambda: 0.0, **options})

def has_sent(producer, count):
    balance = producer.flush(20)
    assert balanced(balance), balance
    assert (balance.accepted, balance.sent, balance.pending) == (count, count, 0), balance
    return True
"""


def started(program: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start a program behind the prelude, with pipes to its stdin, stdout and stderr."""
    text = PRELUDE + textwrap.dedent(program)
    return subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", text, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run_python(program: str, *arguments: str) -> tuple[list[str], float]:
    """Run a program; return its output lines, and the monotonic time at which it ended.

    It must succeed and write nothing to stderr.
    """
    with started(program, *arguments) as process:
        try:
            output, errors = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # a forked child would keep the pipes open
            raise
        ended = time.monotonic()
    assert (process.returncode, errors) == (0, "")
    return output.splitlines(), ended


def sent_lines(lines: list[str]) -> list[str]:
    """Return what arrived at the queue and who sent it, including repetitions."""
    return sorted(line for line in lines if line.startswith("sent"))
