"""How the sender reacts to the queue's responses. The retry delays are zero here, so nothing sleeps."""

import logging
import threading
import time
from queue import SimpleQueue
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_producer._producer import ATTEMPTS
from recommendation_producer._sending import dispatcher
from recommendation_producer._sending.dispatcher import FULL_BATCH, Dispatcher
from tests.support.fakes.queue import (
    NOTHING_HANGS,
    Answer,
    Entries,
    FakeQueue,
    Reaction,
    aws_error,
    balanced,
    failing,
    recommendation,
    running_producer,
)

pytestmark = pytest.mark.usefixtures("either_writer")


def send(queue: FakeQueue, count: int) -> dict[str, int]:
    """Enqueue `count` envelopes, flush, and return the drops by reason; nothing may be pending."""
    with running_producer(queue, max_age=60.0) as producer:
        for number in range(count):
            assert producer.enqueue(**recommendation(number)).accepted
        balance = producer.flush(NOTHING_HANGS)
    assert balance.pending == 0
    assert balance.accepted == count
    return dict(balance.dropped)


def test_burst_is_sent_in_full_batches_each_envelope_once() -> None:
    """Requests carry at least 9.5 envelopes on average."""
    queue = FakeQueue()
    assert send(queue, 1_000) == {}
    assert len(set(queue.arrived)) == len(queue.arrived) == 1_000
    assert len(queue.arrived) / len(queue.calls) >= 9.5


def test_burst_of_a_thousand_at_50_ms_a_call_is_sent_within_one_flush() -> None:
    """Four calls at a time take 1.25 s. A busy machine may need a second or third try for the two seconds."""

    class Distant(FakeQueue):
        def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:
            time.sleep(0.05)
            return super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    sent = 0
    for _ in range(3):
        with running_producer(Distant(), max_age=600.0) as producer:
            for number in range(1_000):
                producer.enqueue(**recommendation(number))
            sent = producer.flush(2.0).sent
        if sent == 1_000:
            break
    assert sent == 1_000


def test_one_client_serves_the_whole_sandbox() -> None:
    """Creating a client costs 50 ms, so one thread keeps using the same client."""
    queue = FakeQueue()
    with running_producer(queue) as producer:
        for number in range(30):
            producer.enqueue(**recommendation(number))
            producer.flush(NOTHING_HANGS)
    assert (queue.clients, len(queue.threads)) == (1, 1)


def test_only_failed_entries_of_a_batch_are_sent_again() -> None:
    """An HTTP 200 response may carry failures."""
    queue = FakeQueue(failing({1: ("InternalError", False), 3: ("ServiceUnavailable", False)}))
    assert send(queue, 5) == {}
    assert [len(call) for call in queue.calls] == [5, 2]
    assert sorted(queue.calls[1]) == sorted([queue.calls[0][1], queue.calls[0][3]])


def test_sender_fault_is_never_retried() -> None:
    """The same entry would fail again."""
    queue = FakeQueue(failing({0: ("InvalidMessageContents", True), 1: ("InternalError", False)}))
    assert send(queue, 3) == {"send_failed": 1}
    assert [len(call) for call in queue.calls] == [3, 1]


def test_entry_that_the_response_does_not_mention_is_sent_again() -> None:
    """Sending it twice is better than never."""

    def forgetful(entries: Entries) -> Answer:
        return {"Successful": [{"Id": entries[0]["Id"]}]}

    queue = FakeQueue(forgetful)
    assert send(queue, 2) == {}
    assert [len(call) for call in queue.calls] == [2, 1]


@pytest.mark.parametrize(
    "error",
    [
        aws_error("RequestThrottled", 400),
        aws_error("ServiceUnavailable", 503),
        ConnectionResetError(),
        TimeoutError(),
    ],
)
def test_transient_errors_cost_nothing(error: Exception) -> None:
    """Throttling, outages and broken connections are retried."""
    queue = FakeQueue(error, error, error)
    assert send(queue, 7) == {}
    assert len(queue.calls) == 4


def test_retries_are_bounded_and_giving_up_is_counted() -> None:
    """A lasting outage must not hold memory indefinitely."""
    queue = FakeQueue(*[aws_error("ServiceUnavailable", 503)] * ATTEMPTS)
    assert send(queue, 4) == {"send_failed": 4}
    assert len(queue.calls) == ATTEMPTS


def test_permanent_cause_is_not_retried() -> None:
    """Otherwise every flush would wait for it."""
    queue = FakeQueue(aws_error("AccessDenied", 403))
    assert send(queue, 4) == {"send_failed": 4}
    assert len(queue.calls) == 1


def test_oversize_batch_is_split_until_it_fits() -> None:
    """Each split halves it."""
    too_long = aws_error("AWS.SimpleQueueService.BatchRequestTooLong", 400)
    queue = FakeQueue(too_long, too_long)
    assert send(queue, 8) == {}
    assert [len(call) for call in queue.calls] == [8, 4, 2, 2, 4]


def test_only_the_offender_of_a_refused_batch_is_dropped() -> None:
    """One poison recommendation never holds back the others."""

    class Strict(FakeQueue):
        def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:
            if any('"number":2}' in entry["MessageBody"] for entry in Entries):
                self._reactions.insert(0, aws_error("InvalidMessageContents", 400))
            return super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    queue = Strict()
    assert send(queue, 6) == {"send_failed": 1}
    assert len(set(queue.arrived)) == 5


def test_single_envelope_refused_for_its_size_is_too_large() -> None:
    """There is nothing left to split."""
    assert send(FakeQueue(aws_error("BatchRequestTooLong", 400)), 1) == {"too_large": 1}


def test_malformed_response_is_a_failed_attempt() -> None:
    """Here, a result lacks its ID."""
    queue = FakeQueue(lambda _: {"Successful": [{}]})
    assert send(queue, 2) == {}
    assert len(queue.calls) == 2


def test_client_that_cannot_be_created_never_breaks_the_host() -> None:
    """A missing region or missing credentials cost the envelopes only."""

    class NoRegion(FakeQueue):
        def client(self) -> None:  # type: ignore[override]  # a real factory fails before it returns a context
            raise ValueError("You must specify a region.")

    assert send(NoRegion(), 3) == {"send_failed": 3}


REACTIONS: list[Reaction] = [
    None,
    ConnectionResetError(),
    SystemExit(),
    aws_error("ServiceUnavailable", 503),
    aws_error("AccessDenied", 403),
    aws_error("BatchRequestTooLong", 400),
    failing({0: ("InternalError", False)}),
    failing({0: ("InvalidMessageContents", True)}),
    lambda _: {},
]


@given(reactions=st.lists(st.sampled_from(REACTIONS), max_size=20), count=st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_balance_holds_whatever_the_queue_does(reactions: list[Reaction], count: int) -> None:
    """Every envelope is sent or counted, even if the sender dies in between."""
    queue = FakeQueue(*reactions)
    with running_producer(queue, max_age=60.0) as producer:
        ids = {producer.enqueue(**recommendation(number)).recommendation_id for number in range(count)}
        balance = producer.flush(NOTHING_HANGS)
        assert balanced(balance)
        assert (balance.accepted, balance.pending) == (count, 0)
    assert set(queue.arrived_ids()) <= ids
    assert len(set(queue.arrived_ids())) == balance.sent


def test_flush_that_precedes_the_senders_first_look_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may run 35 enqueues and a flush before the thread that they started can be woken."""
    has_flushed = threading.Event()

    def late(*parts: Any) -> Dispatcher:
        assert has_flushed.wait(NOTHING_HANGS)
        return Dispatcher(*parts)

    monkeypatch.setattr("recommendation_producer._sending.sender.Dispatcher", late)
    queue = FakeQueue()
    with running_producer(queue, max_age=60.0) as producer:
        for number in range(35):
            producer.enqueue(**recommendation(number))
        producer.flush(0.0)
        has_flushed.set()
        ends = time.monotonic() + NOTHING_HANGS
        while producer.balance.pending and time.monotonic() < ends:  # another flush would wake it
            time.sleep(0.001)
        assert producer.balance.sent == 35


def test_losses_are_logged_in_one_line_without_any_body(caplog: pytest.LogCaptureFixture) -> None:
    """The sender's thread writes the line, which gives counts and codes."""
    caplog.set_level(logging.INFO, "recommendation_producer")
    queue = FakeQueue(aws_error("AccessDenied", 403), aws_error("AccessDenied", 403))
    with running_producer(queue, max_age=0.01) as producer:
        for number in range(2):
            producer.enqueue(**recommendation(number, reasoning="a secret"))
            producer.flush(NOTHING_HANGS)
    (record,) = [record for record in caplog.records if record.name == "recommendation_producer"]
    assert record.threadName == "recommendation-sender"
    assert "AccessDenied" in record.getMessage()
    assert "secret" not in record.getMessage()


def test_burst_wakes_the_sender_at_most_once_in_ten_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that stands still, that is at most once; the sender finds the other envelopes on its own."""
    woken = []

    class Inbox(SimpleQueue[Any]):
        def put(self, item: Any, *_: Any) -> None:
            if item == FULL_BATCH:
                woken.append(item)
            super().put(item)

    monkeypatch.setattr(dispatcher, "SimpleQueue", Inbox)
    queue = FakeQueue()
    with running_producer(queue, clock=lambda: 100.0, max_age=3600.0) as producer:
        for number in range(200):
            producer.enqueue(**recommendation(number))
        until = time.monotonic() + NOTHING_HANGS
        while producer.balance.sent < 200 and time.monotonic() < until:
            time.sleep(0.005)
        assert producer.balance.sent == 200
    assert len(woken) <= 1
