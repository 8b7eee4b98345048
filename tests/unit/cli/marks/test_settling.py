"""How long commands wait until every consumer knows a mark."""

import pytest

from infra.template import load
from recommendation_cli.marks.settling import SETTLED_SECONDS, seconds_to_settle, wait_until_settled
from recommendation_cli.runtime import Runtime
from recommendation_shared.item.marks import MARKS_MAX_AGE
from tests.support.fakes.clock import Clock
from tests.support.fakes.recommendation_table import NOW, FakeDynamoDb

MARKED = "2026-02-01T12:00:00.000000Z"  # when it is `NOW`


@pytest.mark.parametrize(
    ("passed", "left"),
    [(0, SETTLED_SECONDS), (50, SETTLED_SECONDS - 50), (SETTLED_SECONDS, 0), (86_400, 0), (-3600, SETTLED_SECONDS)],
)
def test_wait_ends_a_fixed_time_after_the_mark_was_written(passed: float, left: float) -> None:
    """For a mark from the future, of a clock that was ahead, it is as long as for a new one."""
    assert seconds_to_settle(MARKED, NOW.timestamp() + passed) == left


def test_wait_covers_the_oldest_list_of_marks_and_the_longest_invocation() -> None:
    """A sandbox may have read the marks just before, and begin a batch just before its list is too old."""
    timeout = load()["Resources"]["Consumer"]["Properties"]["Timeout"]
    assert MARKS_MAX_AGE + timeout < SETTLED_SECONDS


def test_waiting_shows_how_long_it_still_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe, a line every few seconds."""
    clock = Clock()
    runtime = Runtime(
        now=clock.now,
        environ={},
        connect=lambda _target: FakeDynamoDb(),
        monotonic=clock.monotonic,
        sleep=clock.sleep,
    )
    clock.sleep(SETTLED_SECONDS - 20)
    wait_until_settled(runtime, MARKED)
    assert clock.passed == SETTLED_SECONDS
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "waiting 15 seconds until every consumer knows"
    assert lines[-1] == "waiting 5 seconds until every consumer knows"
