"""A sandbox that is frozen and thawed: a real process under SIGSTOP and SIGCONT, and the server outside of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.support.servers.fault_server import HANG, FaultServer, fault_server

# Longer than the client's read timeout of 2 s, and than every flush below.
FROZEN: Final = 2.1
PATIENCE: Final = 30.0
COUNT: Final = 5
# Answers every line of stdin, `enqueue FIRST COUNT` or `flush SECONDS`, with a line of JSON.
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
    told = {"accepted": balance.accepted, "sent": balance.sent, "pending": balance.pending}
    print(json.dumps({**told, "dropped": balance.dropped, "seconds": time.monotonic() - started}), flush=True)
"""


class Sandbox:
    """The process, its commands, and its ice."""

    def __init__(self, server: FaultServer) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", SANDBOX, server.queue_url, server.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, command: str) -> None:
        """Give a command without waiting for its end."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, Any]:
        """Return what the command tells at its end; its balance has to hold."""
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert told["accepted"] == told["sent"] + sum(told["dropped"].values()) + told["pending"]
        return told

    def run(self, command: str) -> dict[str, Any]:
        """Give a command and wait for its end."""
        self.begin(command)
        return self.end()

    def freeze(self) -> None:
        """Stop every thread of it, and be sure of that."""
        self._process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self._process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def leave(self) -> None:
        """End it."""
        self.thaw()
        self._process.communicate(timeout=PATIENCE)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """The queue, which is never frozen."""
    with fault_server() as running:
        yield running


@pytest.fixture
def sandbox(server: FaultServer) -> Iterator[Sandbox]:
    """A process that holds a producer."""
    process = Sandbox(server)
    try:
        yield process
    finally:
        process.leave()


def sent(told: dict[str, Any], count: int) -> bool:
    """Tell whether all that was handed over is sent, each counted once."""
    return (told["accepted"], told["sent"], told["pending"], told["dropped"]) == (count, count, 0, {})


def test_answer_that_comes_during_the_freeze_is_counted_after_the_thaw(server: FaultServer, sandbox: Sandbox) -> None:
    """Frozen in mid-send: the server took the batch, and only the answer waits in the socket."""
    server.fault = HANG
    sandbox.run(f"enqueue 0 {COUNT}")
    assert server.asked.wait(PATIENCE)
    sandbox.freeze()
    server.heal()
    assert server.answered.wait(PATIENCE)
    sandbox.thaw()
    assert sent(sandbox.run("flush 20"), COUNT)
    assert set(server.arrived_numbers()) == set(range(COUNT))


def test_connection_that_dies_during_the_freeze_costs_nothing(server: FaultServer, sandbox: Sandbox) -> None:
    """Frozen in mid-send for longer than the client waits, and the server hangs up."""
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
    server: FaultServer, sandbox: Sandbox
) -> None:
    """Its budget is over; it does not begin to wait anew."""
    server.fault = HANG
    sandbox.run(f"enqueue 0 {COUNT}")
    assert server.asked.wait(PATIENCE)
    sandbox.begin("flush 1.0")
    time.sleep(0.3)  # the flush has begun, or begins after the thaw: both must end well
    sandbox.freeze()
    time.sleep(FROZEN)
    sandbox.thaw()
    thawed = time.monotonic()
    told = sandbox.end()
    assert time.monotonic() - thawed < 1.0 + 1.0
    assert (told["sent"], told["pending"], told["dropped"]) == (0, COUNT, {})
    sandbox.run(f"enqueue {COUNT} {COUNT}")
    server.heal()
    assert sent(sandbox.run("flush 20"), 2 * COUNT)
    assert set(server.arrived_numbers()) == set(range(2 * COUNT))


def test_pooled_connection_that_died_during_the_freeze_is_replaced(server: FaultServer, sandbox: Sandbox) -> None:
    """Idle connections are closed by servers, and the first call after the thaw meets one; nothing arrives twice."""
    sandbox.run(f"enqueue 0 {COUNT}")
    assert sent(sandbox.run("flush 20"), COUNT)
    sandbox.freeze()
    assert server.close_connections() > 0
    sandbox.thaw()
    sandbox.run(f"enqueue {COUNT} {COUNT}")
    assert sent(sandbox.run("flush 20"), 2 * COUNT)
    assert sorted(server.arrived_numbers()) == list(range(2 * COUNT))


def test_frozen_again_and_again_at_any_moment_the_sandbox_loses_nothing(server: FaultServer, sandbox: Sandbox) -> None:
    """As one that serves an invocation now and then, frozen right after the enqueue each time."""
    for first in range(0, 200, 20):
        sandbox.begin(f"enqueue {first} 20")
        sandbox.freeze()
        server.close_connections()
        sandbox.thaw()
        sandbox.end()
    assert sent(sandbox.run("flush 20"), 200)
    assert set(server.arrived_numbers()) == set(range(200))
