"""Delays and deadlines, without waiting for either."""

from itertools import islice

import pytest

from recommendation_consumer.deadlines import deadlines, full_jitter


def test_ceilings_double_up_to_two_seconds() -> None:
    """With the largest random number."""
    assert list(islice(full_jitter(lambda: 1.0), 9)) == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]


def test_jitter_is_full() -> None:
    """A delay may be anything from nothing to the ceiling."""
    assert list(islice(full_jitter(lambda: 0.0), 3)) == [0.0, 0.0, 0.0]
    assert next(full_jitter(lambda: 0.5)) == 0.025


def test_delays_never_end() -> None:
    """It is the deadline that ends the retries; no power of two grows without bound on the way."""
    assert next(islice(full_jitter(lambda: 1.0), 100_000, None)) == 2.0


def test_writes_leave_time_for_dead_letters_and_those_for_the_answer() -> None:
    """Of 30 s: 27 for writing, 2 for dead letters, 1 for the answer."""
    assert deadlines(100.0, 30_000) == (127.0, 129.0)


@pytest.mark.parametrize("remaining_ms", [0, 1, 200, 3_000, 900_000])
def test_deadlines_are_in_order_and_before_the_kill(remaining_ms: int) -> None:
    """Also for a function with a short timeout."""
    until = deadlines(100.0, remaining_ms)
    assert 100.0 <= until.write <= until.dead_letters <= 100.0 + remaining_ms / 1000
    assert until.write - 100.0 == pytest.approx(max(0.7 * remaining_ms / 1000, remaining_ms / 1000 - 3))
