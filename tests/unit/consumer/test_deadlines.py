"""The deadlines of an invocation's phases."""

import pytest

from recommendation_consumer.deadlines import deadlines


def test_writes_leave_time_for_dead_letters_and_dead_letters_for_the_response() -> None:
    """30 s are divided into 27 for writing, 2 for dead letters and 1 for the response."""
    assert deadlines(100.0, 30_000) == (127.0, 129.0)


@pytest.mark.parametrize("remaining_ms", [0, 1, 200, 3_000, 900_000])
def test_deadlines_are_in_order_and_before_the_timeout(remaining_ms: int) -> None:
    """Even for a function with a short timeout."""
    until = deadlines(100.0, remaining_ms)
    assert 100.0 <= until.write <= until.dead_letters <= 100.0 + remaining_ms / 1000
    assert until.write - 100.0 == pytest.approx(max(0.7 * remaining_ms / 1000, remaining_ms / 1000 - 3))
