"""A sandbox that is frozen and thawed: a real process under SIGSTOP and SIGCONT, with the server outside of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.support.servers.sqs_server import HANG, SqsServer, sqs_server

# Longer than the client's read timeout of 2 s, and than every flush below.
FROZEN: Final = 2.1
PATIENCE: Final = 30.0  # seconds
COUNT: Final = 5
# Runs each command from stdin, `enqueue FIRST COUNT` or `flush SECONDS`, and prints a line of JSON.
SANDBOX: Final = """
import json, sys, time
from recommendation_producer import RecommendationProducer
from tests.support.fakes.queue import recommendation
producer = RecommendationProducer(sys.argv[1], "us-east-1", sys.argv[2], max_age=0.05)
for line in sys.stdin:
    command, *numbers = line.split()
    started = time.monotonic()
    if command == "enqueue":
        for number in range(int(numbers[0]), int(numbers[0]) + int(numbers[1])):
            producer.enqueue(**recommendation(number))
        balance = producer.balance
    else:
        balance = producer.flush(float(numbers[0]))
    counts = {"accepted": balance.accepted, "sent": balance.sent, "pending": balance.pending}
    print(json.dumps({**counts, "dropped": balance.dropped, "seconds": time.monotonic() - started}), flush=True)
"""


class Sandbox:
    """The process: runs commands, and can be frozen and thawed."""

    def __init__(self, server: SqsServer) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SANDBOX, server.queue_url, server.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, command: str) -> None:
        """Start a command without waiting for its end."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, Any]:
        """Wait for the end of the command; return the balance it prints, which must hold."""
        assert self._process.stdout is not None
        balance: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert balance["accepted"] == balance["sent"] + sum(balance["dropped"].values()) + balance["pending"]
        return balance

    def run(self, command: str) -> dict[str, Any]:
        """Run a command to its end."""
        self.begin(command)
        return self.end()

    def freeze(self) -> None:
        """Stop all its threads, and wait until they have stopped."""
        self._process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self._process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def thaw(self) -> None:
        """Let it continue."""
        self._process.send_signal(signal.SIGCONT)

    def leave(self) -> None:
        """Thaw it and let it exit."""
        self.thaw()
        self._process.communicate(timeout=PATIENCE)


@pytest.fixture
def server() -> Iterator[SqsServer]:
    """The queue's server, which is never frozen."""
    with sqs_server() as running:
        yield running


@pytest.fixture
def sandbox(server: SqsServer) -> Iterator[Sandbox]:
    """A process with a producer."""
    process = Sandbox(server)
    try:
        yield process
    finally:
        process.leave()


def sent(balance: dict[str, Any], count: int) -> bool:
    """Return whether all `count` envelopes are sent, each counted once."""
    counts = (balance["accepted"], balance["sent"], balance["pending"], balance["dropped"])
    return counts == (count, count, 0, {})


def test_response_that_arrives_during_the_freeze_is_counted_after_the_thaw(server: SqsServer, sandbox: Sandbox) -> None:
    """Frozen during a send: the server has accepted the batch, and its response waits in the socket."""
    server.fault = HANG
    sandbox.run(f"enqueue 0 {COUNT}")
    assert server.asked.wait(PATIENCE)
    sandbox.freeze()
    server.heal()
    assert server.answered.wait(PATIENCE)
    sandbox.thaw()
    assert sent(sandbox.run("flush 20"), COUNT)
    assert set(server.arrived_numbers()) == set(range(COUNT))


def test_connection_that_dies_during_the_freeze_costs_nothing(server: SqsServer, sandbox: Sandbox) -> None:
    """Frozen during a send for longer than the client waits, while the server disconnects."""
    server.fault = HANG
    sandbox.run(f"enqueue 0 {COUNT}")
    assert server.asked.wait(PATIENCE)
    sandbox.freeze()
    assert server.close_connections() > 0
    server.heal()
    time.sleep(FROZEN)
    sandbox.thaw()
    assert sent(sandbox.run("flush 20"), COUNT)
    assert set(server.arrived_numbers()) == set(range(COUNT))


def test_flush_that_is_frozen_past_its_deadline_ends_at_the_thaw_and_the_next_one_delivers(
    server: SqsServer, sandbox: Sandbox
) -> None:
    """Its budget is used up; it does not start to wait again."""
    server.fault = HANG
    sandbox.run(f"enqueue 0 {COUNT}")
    assert server.asked.wait(PATIENCE)
    sandbox.begin("flush 1.0")
    time.sleep(0.3)  # the flush has started, or starts after the thaw; the test holds for both
    sandbox.freeze()
    time.sleep(FROZEN)
    sandbox.thaw()
    thawed = time.monotonic()
    balance = sandbox.end()
    assert time.monotonic() - thawed < 1.0 + 1.0
    assert (balance["sent"], balance["pending"], balance["dropped"]) == (0, COUNT, {})
    sandbox.run(f"enqueue {COUNT} {COUNT}")
    server.heal()
    assert sent(sandbox.run("flush 20"), 2 * COUNT)
    assert set(server.arrived_numbers()) == set(range(2 * COUNT))


def test_pooled_connection_that_died_during_the_freeze_is_replaced(server: SqsServer, sandbox: Sandbox) -> None:
    """Servers close idle connections, and the first call after the thaw uses one of those; nothing arrives twice."""
    sandbox.run(f"enqueue 0 {COUNT}")
    assert sent(sandbox.run("flush 20"), COUNT)
    sandbox.freeze()
    assert server.close_connections() > 0
    sandbox.thaw()
    sandbox.run(f"enqueue {COUNT} {COUNT}")
    assert sent(sandbox.run("flush 20"), 2 * COUNT)
    assert sorted(server.arrived_numbers()) == list(range(2 * COUNT))


def test_sandbox_that_is_frozen_repeatedly_loses_nothing(server: SqsServer, sandbox: Sandbox) -> None:
    """It serves an invocation now and then, and is frozen right after the enqueue each time."""
    for first in range(0, 200, 20):
        sandbox.begin(f"enqueue {first} 20")
        sandbox.freeze()
        server.close_connections()
        sandbox.thaw()
        sandbox.end()
    assert sent(sandbox.run("flush 20"), 200)
    assert set(server.arrived_numbers()) == set(range(200))
