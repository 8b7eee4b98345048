"""Every flush ends in time, whatever the network does; and when it recovers, nothing is missing.

The client is the real one. The bound asserted here leaves a busy machine a second; on an idle one a flush ends within a
millisecond of its deadline.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from recommendation_producer import Balance, RecommendationProducer
from tests.support.fakes.queue import NOTHING_HANGS, balanced, recommendation
from tests.support.servers.fault_server import DRIP, HANG, RESET, FaultServer, fault_server

BUDGET = 0.5  # seconds
LATE = 1.0  # seconds beyond the budget
COUNT = 12
TRANSIENT = [HANG, DRIP, RESET, "outage", "throttling", "expired"]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server that can be told to misbehave."""
    with fault_server() as running:
        yield running


@contextlib.contextmanager
def producer_with(queue_url: str, endpoint_url: str) -> Iterator[RecommendationProducer]:
    """Make a producer that holds some envelopes; at the end its balance must hold, and nothing be pending."""
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
    """Flush with the budget, which has to be used up and kept."""
    started = time.monotonic()
    balance = producer.flush(BUDGET)
    assert BUDGET <= time.monotonic() - started < BUDGET + LATE
    return balance


@pytest.mark.parametrize("fault", TRANSIENT)
def test_flush_keeps_its_deadline_and_the_next_one_delivers_all(fault: str, server: FaultServer) -> None:
    """What could not be sent stays; a fault that is gone has cost nothing."""
    server.fault = fault
    with producer_with(server.queue_url, server.url) as producer:
        for _ in range(2):
            assert flushed_in_time(producer) == Balance(COUNT, 0, {}, COUNT)
        assert server.asked.wait(NOTHING_HANGS)  # a busy machine may need longer than two budgets to open the client
        assert server.faults[fault] > 0
        assert server.arrived == []
        server.heal()
        assert producer.flush(NOTHING_HANGS) == Balance(COUNT, COUNT, {}, 0)
    assert set(server.arrived_numbers()) == set(range(COUNT))


@pytest.mark.parametrize("fault", [HANG, RESET, "outage"])
async def test_aflush_keeps_its_deadline(fault: str, server: FaultServer) -> None:
    """The same from a coroutine, whose loop goes on meanwhile."""
    server.fault = fault
    with producer_with(server.queue_url, server.url) as producer:
        started = time.monotonic()
        balance = await producer.aflush(BUDGET)
        assert BUDGET <= time.monotonic() - started < BUDGET + LATE
        assert balance == Balance(COUNT, 0, {}, COUNT)


def test_denied_calls_end_the_flush_early_and_are_counted(server: FaultServer) -> None:
    """A cause that will not pass is not waited for; when it has passed after all, the same producer sends again."""
    server.fault = "denied"
    with producer_with(server.queue_url, server.url) as producer:
        assert producer.flush(NOTHING_HANGS) == Balance(COUNT, 0, {"send_failed": COUNT}, 0)
        assert server.faults["denied"] == 2  # one for each batch: the client does not repeat them either
        server.heal()
        producer.enqueue(**recommendation(COUNT))
        assert producer.flush(NOTHING_HANGS).sent == 1


@contextlib.contextmanager
def full_backlog() -> Iterator[int]:
    """Listen on a port whose queue of connections is full: the kernel drops what else knocks there."""
    with contextlib.ExitStack() as sockets:
        listening = sockets.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        for _ in range(8):
            knocking = sockets.enter_context(socket.socket())
            knocking.setblocking(False)  # noqa: FBT003 - the standard library's signature
            knocking.connect_ex(address)
        time.sleep(0.05)
        probe = sockets.enter_context(socket.socket())
        probe.settimeout(0.2)
        with pytest.raises(TimeoutError):
            probe.connect(address)
        yield address[1]


def test_flush_keeps_its_deadline_against_a_black_hole() -> None:
    """Connections are neither accepted nor refused there."""
    with full_backlog() as port, producer_with(f"http://127.0.0.1:{port}/1/q", f"http://127.0.0.1:{port}") as producer:
        for _ in range(2):
            assert flushed_in_time(producer) == Balance(COUNT, 0, {}, COUNT)


def test_flush_keeps_its_deadline_against_a_port_where_nobody_listens() -> None:
    """Refused at once, and tried again until the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with producer_with(f"http://127.0.0.1:{port}/1/q", f"http://127.0.0.1:{port}") as producer:
        assert flushed_in_time(producer) == Balance(COUNT, 0, {}, COUNT)


class Names:
    """Stands in for the system's name service, counts the questions, and answers as it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.address: tuple[str, int] | None = None
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)

    def look_up(self, host: str, port: int, **options: Any) -> Any:
        """Answer with the address, or as a name that does not exist."""
        self.asked.set()
        self.may_answer.wait()
        if self.address is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self._real(self.address[0], port or self.address[1], **options) if host else []


@pytest.mark.parametrize("hangs", [False, True], ids=["unknown", "hangs"])
def test_flush_keeps_its_deadline_when_the_name_cannot_be_looked_up(
    hangs: bool,  # noqa: FBT001 - a parameter of the table
    monkeypatch: pytest.MonkeyPatch,
    server: FaultServer,
) -> None:
    """Nor when the lookup itself hangs; once there is an answer, all is sent."""
    names = Names(monkeypatch)
    if not hangs:
        names.may_answer.set()
    port = server.server_address[1]
    url = f"http://sqs.nowhere.invalid:{port}"
    with producer_with(f"{url}/1/q", url) as producer:
        assert flushed_in_time(producer) == Balance(COUNT, 0, {}, COUNT)
        assert names.asked.wait(NOTHING_HANGS)
        names.address = ("127.0.0.1", port)
        names.may_answer.set()
        assert producer.flush(NOTHING_HANGS) == Balance(COUNT, COUNT, {}, 0)


def test_close_and_exit_do_not_wait_for_a_lookup_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread cannot be stopped then, so it is left behind."""
    names = Names(monkeypatch)
    try:
        with producer_with("http://sqs.nowhere.invalid/1/q", "http://sqs.nowhere.invalid") as producer:
            assert names.asked.wait(NOTHING_HANGS)
        assert producer.balance.dropped == {"shutdown": COUNT}
    finally:
        names.may_answer.set()


def test_unresolvable_name_is_waited_for_until_the_deadline_only() -> None:
    """With the system's own name service; `.invalid` never exists (RFC 2606)."""
    with producer_with("http://sqs.nowhere.invalid/1/q", "http://sqs.nowhere.invalid") as producer:
        assert flushed_in_time(producer) == Balance(COUNT, 0, {}, COUNT)


class Context:
    """A Lambda context that counts down."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Answer as the runtime does."""
        return max(0, int((self._end - time.monotonic()) * 1000))


class HandlerError(Exception):
    """The host's own."""


@pytest.mark.parametrize("remaining", [0.3, 1.0])
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("raises", [False, True], ids=["returns", "raises"])
def test_handler_ends_before_its_margin_against_a_queue_that_hangs(
    raises: bool,  # noqa: FBT001 - a parameter of the table
    kind: str,
    remaining: float,
    server: FaultServer,
) -> None:
    """Half a second stays for the runtime, the first exception stands, and the envelopes stay for the next invocation.

    With 0.3 s left there is no time for a drain at all.
    """
    server.fault = HANG
    with producer_with(server.queue_url, server.url) as producer:

        def work(_event: object, _context: object) -> str:
            if raises:
                raise HandlerError
            return "done"

        async def async_work(event: object, context: object) -> str:
            return work(event, context)

        if kind == "sync":
            run = producer.lambda_handler(work)
        else:
            handler = producer.lambda_handler(async_work)
            run = lambda event, context: asyncio.run(handler(event, context))  # type: ignore[assignment]  # noqa: E731
        with pytest.raises(HandlerError) if raises else contextlib.nullcontext():
            started = time.monotonic()
            assert run({}, Context(remaining)) == "done"
        assert time.monotonic() - started < max(0.0, remaining - 0.5) + LATE
        assert producer.balance == Balance(COUNT, 0, {}, COUNT)
        server.heal()
        assert producer.flush(NOTHING_HANGS).sent == COUNT
