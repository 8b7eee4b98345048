"""How long commands wait until every consumer knows a mark."""

import pytest

from infra.template import load
from recommendation_cli.marks.settling import SETTLED_SECONDS, seconds_to_settle, wait_until_settled
from recommendation_cli.runtime import Runtime
from recommendation_shared.item.marks import MARKS_MAX_AGE
from tests.support.fakes.clock import Clock
from tests.support.fakes.recommendation_table import FakeDynamoDb

MARKED = "2026-02-01T12:00:00.000000Z"  # when the clock begins


def _runtime(clock: Clock, *, ahead: float = 0) -> Runtime:
    """Return a runtime whose wall clock is so many seconds ahead of `clock`, which begins at `MARKED`."""
    return Runtime(
        now=lambda: clock.now() + ahead,
        environ={},
        connect=lambda _target: FakeDynamoDb(),
        monotonic=clock.monotonic,
        sleep=clock.sleep,
    )


@pytest.mark.parametrize(
    ("passed", "left"),
    [(0, SETTLED_SECONDS), (50, SETTLED_SECONDS - 50), (SETTLED_SECONDS, 0), (86_400, 0), (-3600, SETTLED_SECONDS)],
)
def test_wait_ends_a_fixed_time_after_the_mark_was_written(passed: float, left: float) -> None:
    """For a mark from the future, of a clock that was ahead, it is as long as for a new one."""
    assert seconds_to_settle(_runtime(Clock(), ahead=passed), MARKED) == left


@pytest.mark.parametrize("ahead", [-86_400, 0, 600, 86_400])
def test_run_that_wrote_the_mark_waits_in_full_whatever_the_clock_says(ahead: float) -> None:
    """The clock may be set meanwhile, and the write of the mark may have been repeated for a minute."""
    clock = Clock()
    runtime = _runtime(clock, ahead=ahead)
    written = clock.monotonic()
    assert seconds_to_settle(runtime, MARKED, written) == SETTLED_SECONDS
    clock.sleep(SETTLED_SECONDS - 10)
    assert seconds_to_settle(runtime, MARKED, written) == pytest.approx(10)
    clock.sleep(60)
    assert seconds_to_settle(runtime, MARKED, written) == 0


def test_wait_covers_the_oldest_list_of_marks_and_the_longest_invocation() -> None:
    """A sandbox may have read the marks just before, and begin a batch just before its list is too old."""
    timeout = load()["Resources"]["Consumer"]["Properties"]["Timeout"]
    assert MARKS_MAX_AGE + timeout < SETTLED_SECONDS


def test_waiting_shows_how_long_it_still_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe, a line every few seconds."""
    clock = Clock()
    runtime = _runtime(clock)
    clock.sleep(SETTLED_SECONDS - 20)
    wait_until_settled(runtime, MARKED)
    assert clock.passed == SETTLED_SECONDS
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "waiting 15 seconds until every consumer knows"
    assert lines[-1] == "waiting 5 seconds until every consumer knows"
