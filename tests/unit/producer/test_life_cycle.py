"""Deadlines, threads, event loops, dead workers, forks and exits."""

import asyncio
import copy
import logging
import pickle
import sys
import threading
import time
from collections.abc import Iterator
from itertools import chain, repeat

import pytest

from recommendation_producer import Balance, RecommendationProducer
from recommendation_producer._sending.calls_in_flight import IN_FLIGHT
from tests.support.fakes.queue import (
    NOTHING_HANGS,
    Answer,
    BlackHole,
    Entries,
    FakeQueue,
    balanced,
    recommendation,
    running_producer,
)

PROMPT = 5.0  # seconds; far less than any wait that would be a bug, far more than a busy machine's delays


def test_flush_of_nothing_starts_no_thread() -> None:
    """A sandbox without recommendations pays nothing."""
    with running_producer(FakeQueue()) as producer:
        before = threading.active_count()
        assert producer.flush(0) == Balance(accepted=0, sent=0, dropped={}, pending=0)
        assert threading.active_count() == before


def test_flush_keeps_its_deadline_against_a_queue_that_never_responds() -> None:
    """It loses nothing by giving up."""
    hole = BlackHole()
    with running_producer(hole) as producer:
        for number in range(25):
            producer.enqueue(**recommendation(number))
        started = time.monotonic()
        balance = producer.flush(timeout=0.1)
        assert 0.1 <= time.monotonic() - started < PROMPT
    assert (balance.accepted, balance.sent, balance.pending) == (25, 0, 25)


def test_envelopes_unsent_at_the_deadline_are_sent_by_the_next_flush() -> None:
    """A freeze and a thaw between two invocations lose nothing."""

    class SlowStart(FakeQueue):
        def __init__(self) -> None:
            super().__init__()
            self.may_open = threading.Event()

        def client(self) -> FakeQueue:
            self.may_open.wait()
            return self

    queue = SlowStart()
    with running_producer(queue) as producer:
        producer.enqueue(**recommendation())
        assert producer.flush(timeout=0.0).pending == 1
        queue.may_open.set()
        assert producer.flush(NOTHING_HANGS).sent == 1


def test_deadline_that_passes_during_a_freeze_ends_the_flush_after_the_thaw() -> None:
    """The connection is dead by then; the next flush has a new budget and sends."""
    asked, thawed, deadline_is_set = threading.Event(), threading.Event(), threading.Event()

    class Frozen(FakeQueue):
        def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:
            if not thawed.is_set():
                asked.set()
                thawed.wait()
                raise ConnectionResetError
            return super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    frozen_for = 0.0
    flushed: list[Balance] = []

    def clock() -> float:
        now = time.monotonic() + frozen_for
        if threading.current_thread() is flushing:  # which first asks for the time to compute its deadline
            deadline_is_set.set()
        return now

    with running_producer(Frozen(), max_age=0.0, clock=clock) as producer:
        flushing = threading.Thread(target=lambda: flushed.append(producer.flush(timeout=60.0)))
        producer.enqueue(**recommendation())
        assert asked.wait(NOTHING_HANGS)
        flushing.start()
        assert deadline_is_set.wait(NOTHING_HANGS)
        frozen_for = 600.0
        flushing.join(PROMPT)
        thawed.set()
        assert [balance.pending for balance in flushed] == [1]
        assert producer.flush(NOTHING_HANGS).sent == 1


def test_flush_cuts_a_long_backoff_short() -> None:
    """Otherwise the retry would come after the sandbox has frozen."""
    failed_once = threading.Event()

    class FailingOnce(FakeQueue):
        def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:
            if not failed_once.is_set():
                failed_once.set()
                raise ConnectionError
            return super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    jitter = chain([6_000.0], repeat(0.0))  # a first delay of ten minutes, and none later
    with running_producer(FailingOnce(), max_age=0.0, jitter=lambda: next(jitter)) as producer:
        producer.enqueue(**recommendation())
        assert failed_once.wait(NOTHING_HANGS)
        started = time.monotonic()
        assert producer.flush(NOTHING_HANGS).sent == 1
        assert time.monotonic() - started < PROMPT


def test_flush_waits_only_for_what_was_enqueued_before_it() -> None:
    """A host that never stops enqueueing must not delay a flush until its deadline."""
    queue = FakeQueue()
    stop = threading.Event()
    with running_producer(queue, max_items=1_000_000, max_bytes=10**9) as producer:

        def chatter() -> None:
            number = 0
            while not stop.is_set():
                producer.enqueue(**recommendation(number))
                number += 1

        thread = threading.Thread(target=chatter)
        thread.start()
        try:
            started = time.monotonic()
            mark = producer.balance.accepted
            assert producer.flush(NOTHING_HANGS).sent >= mark
            assert time.monotonic() - started < PROMPT
        finally:
            stop.set()
            thread.join()


def test_single_envelope_is_sent_within_the_age_limit_without_a_flush() -> None:
    """Its age makes the batch due."""
    arrived = threading.Event()

    class Signalling(FakeQueue):
        def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:
            arrived.set()
            return super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    with running_producer(Signalling(), max_age=0.05) as producer:
        producer.enqueue(**recommendation())
        assert arrived.wait(PROMPT)
        producer.flush(NOTHING_HANGS)


def test_full_batch_does_not_wait_for_its_age() -> None:
    """The tenth enqueue wakes the sender."""
    hole = BlackHole()
    with running_producer(hole, max_age=600.0) as producer:
        for number in range(10):
            producer.enqueue(**recommendation(number))
        assert hole.asked.wait(PROMPT)


def test_dead_worker_is_replaced_and_its_envelopes_are_sent() -> None:
    """SystemExit ends the thread during a call; the next enqueue or flush starts another."""
    dying: list[threading.Thread] = []

    def die(_: Entries) -> Answer:
        dying.append(threading.current_thread())
        raise SystemExit

    queue = FakeQueue(die)
    with running_producer(queue) as producer:
        for number in range(12):
            producer.enqueue(**recommendation(number))
        assert producer.flush(NOTHING_HANGS).sent == 12
        (dead,) = dying
        dead.join(NOTHING_HANGS)
        assert not dead.is_alive()
        assert any(thread.is_alive() for thread in queue.threads)
    assert len(set(queue.arrived)) == 12


def test_enqueue_restarts_a_dead_worker() -> None:
    """No flush is needed for it."""
    dying = threading.Event()
    dead: list[threading.Thread] = []

    def die(_: Entries) -> Answer:
        dead.append(threading.current_thread())
        dying.set()
        raise SystemExit

    queue = FakeQueue(die)
    with running_producer(queue, max_age=0.0) as producer:
        producer.enqueue(**recommendation(0))
        assert dying.wait(NOTHING_HANGS)
        (first,) = dead
        first.join(NOTHING_HANGS)
        assert not first.is_alive()
        producer.enqueue(**recommendation(1))
        assert producer.flush(NOTHING_HANGS).sent == 2


def test_sender_that_breaks_reports_itself_and_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    """A bug in the sender costs a thread, not an envelope; here, the clock fails once on the sender's thread."""
    failures = [ZeroDivisionError()]

    def clock() -> float:
        if failures and threading.current_thread().name == "recommendation-sender":
            raise failures.pop()
        return time.monotonic()

    with running_producer(FakeQueue(), clock=clock) as producer:
        producer.enqueue(**recommendation())
        assert producer.flush(NOTHING_HANGS).sent == 1
    assert "the sender stopped: ZeroDivisionError" in caplog.text


def test_thread_that_cannot_start_leaves_the_envelope_pending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of threads or at interpreter shutdown, no call raises or waits in vain, and a later call tries again."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    queue = FakeQueue()
    with running_producer(queue) as producer:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            assert producer.enqueue(**recommendation()).accepted
            started = time.monotonic()
            assert producer.flush(NOTHING_HANGS).pending == 1
            assert time.monotonic() - started < PROMPT
        assert producer.flush(NOTHING_HANGS).sent == 1


def test_several_event_loops_share_one_producer() -> None:
    """Each invocation calls `asyncio.run`, which does not affect the sender."""
    queue = FakeQueue()
    with running_producer(queue) as producer:

        async def invocation(number: int) -> Balance:
            assert producer.enqueue(**recommendation(number)).accepted
            return await producer.aflush(NOTHING_HANGS)

        assert [asyncio.run(invocation(number)).sent for number in range(3)] == [1, 2, 3]
    assert len(queue.threads) == 1


async def test_aflush_does_not_block_the_loop_and_keeps_its_deadline() -> None:
    """Other coroutines continue meanwhile."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.01)

    with running_producer(BlackHole()) as producer:
        producer.enqueue(**recommendation())
        ticking = asyncio.create_task(tick())
        started = time.monotonic()
        balance = await producer.aflush(timeout=0.1)
        assert time.monotonic() - started < PROMPT
        ticking.cancel()
    assert ticks > 2
    assert balance.pending == 1


def test_backlog_is_sent_by_four_calls_at_once_on_threads_that_are_reused() -> None:
    """Each call waits until it is one of four; a fifth would wait in vain, and so would a third that is the last."""
    four = threading.Barrier(IN_FLIGHT)

    class ByFours(FakeQueue):
        def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:
            four.wait(NOTHING_HANGS)
            return super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    queue = ByFours()
    with running_producer(queue, max_age=600.0) as producer:
        for number in range(10 * 3 * IN_FLIGHT):
            producer.enqueue(**recommendation(number))
        assert producer.flush(NOTHING_HANGS).sent == 10 * 3 * IN_FLIGHT
        assert len(queue.calls) == 3 * IN_FLIGHT
        assert len(queue.threads) == IN_FLIGHT
        assert all(thread.is_alive() for thread in queue.threads)
    assert not four.broken


def test_nothing_is_lost_or_doubled_when_threads_enqueue_and_flush_concurrently() -> None:
    """The balance holds at every moment."""
    calling: set[int] = set()
    peaks: list[int] = []

    class Counting(FakeQueue):
        def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:
            calling.add(threading.get_ident())
            peaks.append(len(calling))
            time.sleep(0.001)  # so that others meet it
            calling.discard(threading.get_ident())
            return super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    queue = Counting()
    with running_producer(queue) as producer:

        def work(first: int) -> None:
            for number in range(first, first + 100):
                assert producer.enqueue(**recommendation(number)).accepted
                assert balanced(producer.balance)
                if number % 25 == 0:
                    producer.flush(NOTHING_HANGS)

        threads = [threading.Thread(target=work, args=(1_000 * number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert producer.flush(NOTHING_HANGS).sent == 600
    assert len(set(queue.arrived)) == len(queue.arrived) == 600
    assert 1 <= max(peaks) <= IN_FLIGHT


def test_close_sends_counts_and_refuses_later_envelopes() -> None:
    """It also ends the thread."""
    queue = FakeQueue()
    with running_producer(queue) as producer:
        producer.enqueue(**recommendation(0))
        assert producer.close(NOTHING_HANGS).sent == 1
        outcome = producer.enqueue(**recommendation(1))
        assert (outcome.accepted, outcome.reason) == (False, "shutdown")
        assert producer.balance.dropped == {"shutdown": 1}
        (thread,) = queue.threads
        assert not thread.is_alive()


def test_close_counts_what_it_could_not_send() -> None:
    """It takes bounded time, and so does a later flush."""
    hole = BlackHole()
    with running_producer(hole) as producer:
        for number in range(3):
            producer.enqueue(**recommendation(number))
        started = time.monotonic()
        final = producer.close(timeout=0.05)
        assert time.monotonic() - started < PROMPT
        assert final == Balance(accepted=3, sent=0, dropped={"shutdown": 3}, pending=0)
        assert producer.flush(NOTHING_HANGS) == final  # there is nothing to wait for
        assert time.monotonic() - started < PROMPT


def test_copy_of_a_producer_is_the_producer() -> None:
    """Hosts copy agents, settings and graphs that hold one; the buffer and its threads exist once."""
    with running_producer(FakeQueue()) as producer:
        assert copy.copy(producer) is producer
        assert copy.deepcopy({"agent": [producer]})["agent"][0] is producer


def test_pickling_a_producer_says_what_to_do_instead() -> None:
    """For instance, as an argument of a process that multiprocessing spawns."""
    with running_producer(FakeQueue()) as producer, pytest.raises(TypeError, match="in each process, by `from_env"):
        pickle.dumps(producer)


class RaisingFilter(logging.Filter):
    """A filter or handler of the host's with a bug."""

    def filter(self, _: logging.LogRecord) -> bool:
        """Raise."""
        raise RuntimeError


@pytest.fixture
def _raising_logger() -> Iterator[None]:
    """Let every line of the producer's log raise."""
    logger, broken = logging.getLogger("recommendation_producer"), RaisingFilter()
    logger.addFilter(broken)
    yield
    logger.removeFilter(broken)


@pytest.mark.usefixtures("_raising_logger")
def test_logging_that_raises_costs_the_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither creating a producer, nor a flush, nor the sender notices."""
    monkeypatch.setattr(sys, "stdout", None)
    unconfigured = RecommendationProducer(None, drain="after_response", emit_metrics=True)
    assert unconfigured.enqueue(**recommendation()).reason == "not_configured"
    assert unconfigured.lambda_handler(lambda event, _: event)("event", None) == "event"
    assert unconfigured.close() == Balance(1, 0, {"not_configured": 1}, 0)
    with running_producer(FakeQueue(OSError(), None), emit_metrics=True) as producer:
        producer.enqueue(**recommendation())
        assert producer.flush(NOTHING_HANGS).sent == 1
