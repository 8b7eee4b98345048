"""When a batch closes, and how a failed call is judged."""

from typing import Any

import pytest
from botocore.exceptions import NoRegionError

from recommendation_producer import _buffer
from recommendation_producer._buffer import Buffer, Entry
from recommendation_producer._sending import delivery
from recommendation_producer._sending.failure import Verdict, judge
from recommendation_shared import limits
from tests.support.fakes.queue import aws_error

MIB = limits.SQS_REQUEST_BYTES


def entries(*sizes: int, enqueued_at: float = 0.0) -> list[Entry]:
    """Return entries of these sizes in bytes, numbered from 0."""
    return [Entry(number, enqueued_at, b"x" * size) for number, size in enumerate(sizes)]


def due(waiting: list[Entry], *, now: float = 0.0, flush_mark: int = 0) -> int:
    """Return how many entries are due with an age limit of 0.2 s."""
    return delivery.due(waiting, now=now, max_age=0.2, flush_mark=flush_mark)


def test_nothing_is_due_when_nothing_waits() -> None:
    """Not even a flush makes a batch of an empty buffer."""
    assert due([], now=100.0, flush_mark=5) == 0


def test_young_and_few_entries_wait() -> None:
    """Others may join them."""
    assert due(entries(5, 5), now=0.19) == 0


def test_batch_closes_by_count() -> None:
    """A request takes ten entries."""
    assert due(entries(*[5] * 10)) == 10


def test_batch_closes_by_age_of_its_oldest_entry() -> None:
    """It closes at the limit, not only beyond it."""
    assert due(entries(5, 5), now=0.2) == 2


def test_batch_closes_by_bytes_before_the_entry_that_does_not_fit() -> None:
    """A request may have exactly 1 MiB."""
    assert due(entries(MIB // 2, MIB // 2, 1)) == 2


def test_entry_as_large_as_the_limit_is_a_batch() -> None:
    """No other entry fits into its request."""
    assert due(entries(MIB, 5)) == 1


def test_flush_closes_batches_up_to_its_mark() -> None:
    """Later entries may fill the last batch, but are not sent early on their own."""
    waiting = entries(5, 5, 5)
    assert due(waiting, flush_mark=1) == 3
    assert due(waiting[1:], flush_mark=1) == 0


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (ConnectionError(), "retry"),
        (TimeoutError(), "retry"),
        (aws_error("InternalError", 500), "retry"),
        (aws_error("ServiceUnavailable", 503), "retry"),
        (aws_error("RequestThrottled", 400), "retry"),
        (aws_error("com.amazonaws.sqs#RequestThrottled", 400), "retry"),
        (aws_error("OverLimit", 400), "retry"),
        (aws_error("KMS.ThrottlingException", 400), "retry"),
        (aws_error("Whatever", 429), "retry"),
        (aws_error("408", 408), "retry"),
        (aws_error("413", 413), "split"),
        (aws_error("ExpiredToken", 403), "retry"),
        (aws_error("AWS.SimpleQueueService.BatchRequestTooLong", 400), "split"),
        (aws_error("InvalidMessageContents", 400), "split"),
        (aws_error("AccessDenied", 403), "drop"),
        (NoRegionError(), "drop"),
        (aws_error("AWS.SimpleQueueService.NonExistentQueue", 400), "drop"),
    ],
)
def test_failed_call_is_judged_by_its_code(error: Exception, verdict: Verdict) -> None:
    """Transient causes are retried, batches with a bad entry are split, and permanent causes drop the entries."""
    assert judge(error) == verdict


def test_flush_waits_for_the_oldest_entry_even_if_later_ones_are_settled() -> None:
    """Batches that are in flight together end in any order."""
    buffer = Buffer(10, MIB)
    for _ in range(3):
        buffer.offer(b"x", 0.0)
    first, second, third = buffer.take(3)
    buffer.settle([second, third])
    assert not buffer.is_settled(1)
    buffer.settle([first], "send_failed")
    assert buffer.is_settled(3)


def test_thread_that_dies_while_it_takes_a_batch_leaves_every_entry_to_its_successor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as for want of memory, between two entries."""
    buffer = Buffer(max_items=10, max_bytes=100)
    for number in range(3):
        buffer.offer(b"x", now=float(number))

    def entry(number: int, *arguments: Any) -> Entry:
        if number == 1:
            raise MemoryError
        return Entry(number, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(_buffer, "Entry", entry)
        with pytest.raises(MemoryError):
            buffer.take(3)
    buffer.settle(buffer.in_hand())
    buffer.settle(buffer.take(2))
    assert buffer.balance().sent == 3
    assert buffer.is_settled(3)


def test_entries_in_hand_are_kept_for_a_successor() -> None:
    """Entries that a dead sender had taken are not lost."""
    buffer = Buffer(10, MIB)
    for _ in range(4):
        buffer.offer(b"x", 0.0)
    taken = buffer.take(3)
    buffer.settle(taken[1:2])
    assert buffer.in_hand() == [taken[0], taken[2]]


def test_full_batch_by_count_or_by_bytes_is_noticed() -> None:
    """Only then is it worth waking the sender."""
    buffer = Buffer(100, 10 * MIB)
    for _ in range(9):
        buffer.offer(b"x", 0.0)
    assert not buffer.holds_full_batch()
    buffer.offer(b"x" * MIB, 0.0)
    assert buffer.holds_full_batch()
    buffer.take(10)
    assert not buffer.holds_full_batch()
    buffer.offer(b"x" * MIB, 0.0)
    assert buffer.holds_full_batch()
