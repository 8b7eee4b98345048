"""With the real client, every flush ends in time whatever the network does; once it recovers, nothing is missing."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from itertools import repeat

import pytest

from recommendation_producer import Balance
from recommendation_producer._buffer import Buffer
from recommendation_producer._sending.call_threads import NAME
from recommendation_producer._sending.calls_in_flight import IN_FLIGHT, STUCK
from recommendation_producer._sending.client import open_client
from recommendation_producer._sending.delivery import Setup
from recommendation_producer._sending.sender import Sender
from tests.chaos.producer.budget import BUDGET, COUNT, LATE, flushed_in_time, producer_with
from tests.support.fakes.queue import NOTHING_HANGS, recommendation
from tests.support.servers.sqs_server import DRIP, HANG, RESET, SqsServer, sqs_server

TRANSIENT = [HANG, DRIP, RESET, "outage", "throttling", "expired"]


@pytest.fixture
def server() -> Iterator[SqsServer]:
    """A server that fails on demand."""
    with sqs_server() as running:
        yield running


@pytest.mark.parametrize("fault", TRANSIENT)
def test_flush_keeps_its_deadline_and_a_later_one_delivers_everything(fault: str, server: SqsServer) -> None:
    """Unsent envelopes stay in the buffer, so a fault that has passed costs nothing."""
    server.fault = fault
    with producer_with(server.queue_url, server.url) as producer:
        for _ in range(2):
            assert flushed_in_time(producer) == Balance(COUNT, 0, {}, COUNT)
        assert server.asked.wait(NOTHING_HANGS)  # a busy machine may take longer than two budgets to open the client
        assert server.faults[fault] > 0
        assert server.arrived == []
        server.heal()
        assert producer.flush(NOTHING_HANGS) == Balance(COUNT, COUNT, {}, 0)
    assert set(server.arrived_numbers()) == set(range(COUNT))


@pytest.mark.parametrize("fault", [HANG, RESET, "outage"])
async def test_aflush_keeps_its_deadline(fault: str, server: SqsServer) -> None:
    """It returns the same balance as `flush`."""
    server.fault = fault
    with producer_with(server.queue_url, server.url) as producer:
        started = time.monotonic()
        balance = await producer.aflush(BUDGET)
        assert BUDGET <= time.monotonic() - started < BUDGET + LATE
        assert balance == Balance(COUNT, 0, {}, COUNT)


def test_denied_calls_end_the_flush_early_and_are_counted(server: SqsServer) -> None:
    """A permanent cause is not waited for; if it passes after all, the same producer sends again."""
    server.fault = "denied"
    with producer_with(server.queue_url, server.url) as producer:
        assert producer.flush(NOTHING_HANGS) == Balance(COUNT, 0, {"send_failed": COUNT}, 0)
        assert server.faults["denied"] == 2  # one per batch: the client does not retry either
        server.heal()
        producer.enqueue(**recommendation(COUNT))
        assert producer.flush(NOTHING_HANGS).sent == 1


@contextlib.contextmanager
def full_backlog() -> Iterator[int]:
    """Listen on a port whose backlog is full, so that the kernel drops further connection attempts."""
    with contextlib.ExitStack() as sockets:
        listening = sockets.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        for _ in range(8):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003 - its only parameter
            waiting.connect_ex(address)
        time.sleep(0.05)
        probe = sockets.enter_context(socket.socket())
        probe.settimeout(0.2)
        with pytest.raises(TimeoutError):
            probe.connect(address)
        yield address[1]


def test_flush_keeps_its_deadline_against_a_black_hole() -> None:
    """There, connections are neither accepted nor refused."""
    with full_backlog() as port, producer_with(f"http://127.0.0.1:{port}/1/q", f"http://127.0.0.1:{port}") as producer:
        for _ in range(2):
            assert flushed_in_time(producer) == Balance(COUNT, 0, {}, COUNT)


def test_flush_keeps_its_deadline_against_a_closed_port() -> None:
    """Connections are refused at once, and retried until the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with producer_with(f"http://127.0.0.1:{port}/1/q", f"http://127.0.0.1:{port}") as producer:
        assert flushed_in_time(producer) == Balance(COUNT, 0, {}, COUNT)


def test_dripping_responses_end_at_the_limit_of_a_call_and_other_batches_are_sent(server: SqsServer) -> None:
    """Bytes keep arriving, so no timeout of the client ends such a call. Its thread is left to itself."""
    buffer = Buffer(1_000, 1_000_000)
    no_delays = partial(repeat, 0.0)
    factory = partial(open_client, "us-east-1", server.url)
    setup = Setup(buffer, server.queue_url, factory, lambda _: None, 0.0, no_delays, time.monotonic, BUDGET)
    sender = Sender(setup)
    server.fault = DRIP
    for number in range(10):
        buffer.offer(json.dumps({"recommendation": {"number": number}}).encode(), time.monotonic())
    sender.start_draining(buffer.admitted)
    assert server.asked.wait(NOTHING_HANGS)
    server.fault = None  # accepts everything new, while the first response keeps dripping
    for number in range(10, 20):
        buffer.offer(json.dumps({"recommendation": {"number": number}}).encode(), time.monotonic())
    sender.start_draining(buffer.admitted)
    sender.wait_until_settled(buffer.admitted, time.monotonic() + NOTHING_HANGS)
    assert buffer.balance() == Balance(20, 20, {}, 0)
    assert set(server.arrived_numbers()) == set(range(20))
    sender.stop(LATE)
    server.heal()


def test_server_that_drips_forever_holds_no_more_threads_than_documented(server: SqsServer) -> None:
    """Twelve calls, of which four are waited for at a time; then no other is made until one of them ends."""
    most = IN_FLIGHT + STUCK
    buffer = Buffer(1_000, 1_000_000)
    factory = partial(open_client, "us-east-1", server.url)
    setup = Setup(buffer, server.queue_url, factory, lambda _: None, 0.0, partial(repeat, 0.0), time.monotonic, 0.2)
    sender = Sender(setup)
    earlier = set(threading.enumerate())
    server.fault = DRIP
    for number in range(300):
        buffer.offer(json.dumps({"recommendation": {"number": number}}).encode(), time.monotonic())
    sender.start_draining(buffer.admitted)
    ends = time.monotonic() + NOTHING_HANGS
    while server.faults[DRIP] < most and time.monotonic() < ends:
        time.sleep(0.01)
    time.sleep(2.0)  # for several more rounds of calls, if there were any
    calls = [thread for thread in set(threading.enumerate()) - earlier if thread.name == NAME]
    assert (server.faults[DRIP], len(calls)) == (most, most)
    assert buffer.balance() == Balance(300, 0, {}, 300)
    server.heal()
    sender.wait_until_settled(buffer.admitted, time.monotonic() + NOTHING_HANGS)
    assert buffer.balance() == Balance(300, 300, {}, 0)
    sender.stop(LATE)
