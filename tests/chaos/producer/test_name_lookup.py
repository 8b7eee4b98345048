"""Every flush ends in time although the queue's host name cannot be resolved, or the lookup hangs."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from recommendation_producer import Balance
from tests.chaos.producer.budget import COUNT, flushed_in_time, producer_with
from tests.support.fakes.queue import NOTHING_HANGS
from tests.support.servers.sqs_server import SqsServer, sqs_server


@pytest.fixture
def server() -> Iterator[SqsServer]:
    """A healthy server."""
    with sqs_server() as running:
        yield running


class Names:
    """Stands in for the system's name service: a lookup sets `asked`, and waits for `may_answer`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.address: tuple[str, int] | None = None
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)

    def look_up(self, host: str, port: int, *options: Any) -> Any:
        """Resolve to the address or, without one, fail as for an unknown name."""
        self.asked.set()
        self.may_answer.wait()
        if self.address is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self._real(self.address[0], port or self.address[1], *options) if host else []


@pytest.mark.parametrize("hangs", [False, True], ids=["unknown", "hangs"])
def test_flush_keeps_its_deadline_when_the_name_cannot_be_resolved(
    hangs: bool,
    monkeypatch: pytest.MonkeyPatch,
    server: SqsServer,
) -> None:
    """Also if the lookup itself hangs; once it succeeds, everything is sent."""
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


def test_close_does_not_wait_for_a_lookup_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread cannot be stopped during a lookup, so it is abandoned."""
    names = Names(monkeypatch)
    try:
        with producer_with("http://sqs.nowhere.invalid/1/q", "http://sqs.nowhere.invalid") as producer:
            assert names.asked.wait(NOTHING_HANGS)
        assert producer.balance.dropped == {"shutdown": COUNT}
    finally:
        names.may_answer.set()


def test_flush_retries_an_unknown_name_only_until_its_deadline() -> None:
    """With the system's own name service; names under `.invalid` never exist (RFC 2606)."""
    with producer_with("http://sqs.nowhere.invalid/1/q", "http://sqs.nowhere.invalid") as producer:
        assert flushed_in_time(producer) == Balance(COUNT, 0, {}, COUNT)
