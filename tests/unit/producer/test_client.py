"""A client that is missing, broken or slow costs the host nothing and is named once in the log."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from recommendation_producer import Balance, RecommendationProducer
from recommendation_producer._balance import CLIENT_UNAVAILABLE
from recommendation_producer._buffer import Buffer
from recommendation_producer._sending.calls_in_flight import IN_FLIGHT, STUCK
from recommendation_producer._sending.client import UNAVAILABLE
from recommendation_producer._sending.delivery import Setup, SqsClient
from recommendation_producer._sending.sender import Sender
from tests.support.fakes.queue import (
    NOTHING_HANGS,
    QUEUE_URL,
    Answer,
    BlackHole,
    Entries,
    FakeQueue,
    balanced,
    recommendation,
    running_producer,
)

PROMPT = 5.0  # seconds; a flush that waits for a retry takes longer
CALL_LIMIT = 0.2  # seconds

Hide = Callable[[ModuleType | None], None]


@pytest.fixture
def hide_botocore(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hide]:
    """Return a function that replaces botocore by another module, or by None as if it were not installed."""

    def hide(stand_in: ModuleType | None) -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == "botocore"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.delitem(sys.modules, "recommendation_producer._sending.sqs_client", raising=False)
        monkeypatch.delattr("recommendation_producer._sending.sqs_client", raising=False)
        monkeypatch.setitem(sys.modules, "botocore", stand_in)

    before = sys.modules.get("recommendation_producer._sending.sqs_client")
    yield hide
    monkeypatch.undo()
    if before is not None:
        monkeypatch.setattr("recommendation_producer._sending.sqs_client", before, raising=False)


def flushed(producer: RecommendationProducer, count: int) -> Balance:
    """Enqueue and flush `count` times; the flushes must not wait."""
    started = time.monotonic()
    for number in range(count):
        producer.enqueue(**recommendation(number))
        balance = producer.flush(NOTHING_HANGS)
    assert time.monotonic() - started < PROMPT
    return balance


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the producer logged."""
    return [record.getMessage() for record in caplog.records if record.name == "recommendation_producer"]


@pytest.mark.parametrize("stand_in", [None, ModuleType("botocore")], ids=["missing", "without its modules"])
def test_host_without_a_working_botocore_pays_nothing(
    stand_in: ModuleType | None, hide_botocore: Hide, caplog: pytest.LogCaptureFixture
) -> None:
    """No flush waits, every envelope is counted, and one line names the cause."""
    hide_botocore(stand_in)
    producer = RecommendationProducer(QUEUE_URL, "us-east-1")
    assert flushed(producer, 3) == Balance(3, 0, {CLIENT_UNAVAILABLE: 3}, 0)
    producer.close(0)
    (line,) = lines(caplog)
    assert "the SQS client is unavailable: ModuleNotFoundError" in line
    assert "botocore" in line


@pytest.mark.parametrize("raised", ["OSError", "RuntimeError", "AttributeError", "KeyError"])
def test_botocore_that_raises_while_it_is_imported_is_named_in_the_log(
    raised: str, hide_botocore: Hide, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it raises; no flush waits for a retry."""
    hide_botocore(None)
    monkeypatch.delitem(sys.modules, "botocore")
    (tmp_path / "botocore").mkdir()
    (tmp_path / "botocore" / "__init__.py").write_text(f"raise {raised}('a broken disk')\n")
    monkeypatch.syspath_prepend(tmp_path)
    producer = RecommendationProducer(QUEUE_URL, "us-east-1")
    assert flushed(producer, 3) == Balance(3, 0, {CLIENT_UNAVAILABLE: 3}, 0)
    producer.close(0)
    (line,) = lines(caplog)
    assert f"botocore does not load: {raised}: " in line
    assert "a broken disk" in line


@pytest.mark.parametrize("error", [ImportError("bad magic"), SyntaxError("x"), NameError("y"), AttributeError("z")])
def test_botocore_that_fails_to_load_is_tried_again_only_after_a_minute(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Loading it costs processor time, and a layer that is repaired starts a new process anyway."""
    attempts = []
    now = 100.0

    class Unloadable(FakeQueue):
        def client(self) -> FakeQueue:
            attempts.append(now)
            if len(attempts) == 1:
                raise error
            return super().client()

    with running_producer(Unloadable(), clock=lambda: now, max_age=0.0) as producer:
        assert flushed(producer, 3).dropped == {CLIENT_UNAVAILABLE: 3}
        assert len(attempts) == 1
        (line,) = lines(caplog)
        assert f"{type(error).__name__}: {error}" in line
        now += UNAVAILABLE
        producer.enqueue(**recommendation(9))
        assert producer.flush(NOTHING_HANGS).sent == 1


@pytest.mark.parametrize("error", [TypeError("unexpected keyword"), AttributeError("no 'urlopen'")])
def test_client_whose_call_fails_by_its_own_bug_is_not_retried(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The host's urllib3 may not fit its botocore; the next envelope is tried again."""
    queue = FakeQueue(error, error)
    with running_producer(queue) as producer:
        balance = flushed(producer, 3)
    assert balance == Balance(3, 1, {CLIENT_UNAVAILABLE: 2}, 0)
    assert len(queue.calls) == 3
    (line,) = lines(caplog)
    assert f"{type(error).__name__}: {error}" in line


def sender(client: SqsClient, buffer: Buffer) -> Sender:
    """Return a sender that gives up a call after `CALL_LIMIT` seconds and retries without delay."""

    def no_delays() -> Iterator[float]:
        while True:
            yield 0.0

    return Sender(Setup(buffer, QUEUE_URL, lambda: client, lambda _: None, 0.0, no_delays, time.monotonic, CALL_LIMIT))


def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    ends = time.monotonic() + NOTHING_HANGS
    while not condition() and time.monotonic() < ends:
        time.sleep(0.01)
    assert condition()


def test_call_that_exceeds_its_limit_is_repeated_and_counted_once(caplog: pytest.LogCaptureFixture) -> None:
    """If the first call succeeds later after all, the envelope has been sent twice, which the consumer recognises."""
    may_end = threading.Event()

    class HangsOnce(FakeQueue):
        def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:
            is_first = not self.threads
            self.threads.add(threading.current_thread())
            if is_first:
                may_end.wait()
            return super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    caplog.set_level(logging.WARNING)
    queue, buffer = HangsOnce(), Buffer(10, 10_000)
    sending = sender(queue, buffer)
    buffer.offer(b"{}", time.monotonic())
    sending.start_draining(buffer.admitted)
    sending.wait_until_settled(buffer.admitted, time.monotonic() + NOTHING_HANGS)
    assert buffer.balance() == Balance(1, 1, {}, 0)
    may_end.set()
    until(lambda: len(queue.calls) == 2)
    sending.stop(PROMPT)
    assert buffer.balance() == Balance(1, 1, {}, 0)
    assert "no response in time" in caplog.text


def test_threads_are_bounded_when_no_call_ever_ends() -> None:
    """Beyond the bound, envelopes wait in the buffer."""
    hole, buffer = BlackHole(), Buffer(1_000, 1_000_000)
    sending = sender(hole, buffer)
    before = threading.active_count()
    for _ in range(100):
        buffer.offer(b"{}", time.monotonic())
    sending.start_draining(buffer.admitted)
    until(lambda: len(hole.calls) == IN_FLIGHT + STUCK)
    time.sleep(2 * CALL_LIMIT)
    assert len(hole.calls) == IN_FLIGHT + STUCK
    assert threading.active_count() - before <= IN_FLIGHT + STUCK + 1
    assert buffer.balance() == Balance(100, 0, {}, 100)
    sending.stop(PROMPT)


def test_call_that_ends_while_the_producer_closes_is_counted_once() -> None:
    """Whether it is counted as sent or as dropped, the balance holds."""
    for delay in (0.0, 0.02, 0.1, 0.4):
        asked, answered = threading.Event(), threading.Event()

        class Slow(FakeQueue):
            def send_message_batch(
                self,
                *,
                QueueUrl: str,
                Entries: Entries,
                _delay: float = delay,
                _asked: threading.Event = asked,
                _answered: threading.Event = answered,
            ) -> Answer:
                _asked.set()
                time.sleep(_delay)
                answer = super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)
                _answered.set()
                return answer

        producer = RecommendationProducer(QUEUE_URL, client_factory=Slow().client, max_age=0.0)
        producer.enqueue(**recommendation())
        assert asked.wait(NOTHING_HANGS)
        final = producer.close(timeout=0.0)
        assert balanced(final)
        assert (final.accepted, final.pending) == (1, 0)
        assert final.sent + final.dropped.get("shutdown", 0) == 1
        assert answered.wait(NOTHING_HANGS)
        assert producer.balance == final
