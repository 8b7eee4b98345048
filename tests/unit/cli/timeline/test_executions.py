from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from recommendation_cli.timeline.executions import Execution, duration_text, group_by_execution, pause_between
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import COMPLETED, Item, item


def _at(second: float, took_ms: object = None, agent: str = "consensus", **fields: Any) -> Item:
    """Return an item that completed `second` seconds after noon, after working for `took_ms`."""
    metadata = {"status": "SUCCESS"} if took_ms is None else {"status": "SUCCESS", "durationMs": took_ms}
    return item(agent, age=timedelta(seconds=-second), **{"metadata": metadata, **fields})


def _executions(*table: Item) -> list[Execution]:
    return group_by_execution(map(decode_item, table))


def test_executions_and_their_recommendations_are_in_order_of_time() -> None:
    """The order in which the table returns them does not matter."""
    executions = _executions(_at(20, execution_id="second"), _at(5, agent="b"), _at(1, agent="a"))
    assert [execution.execution_id for execution in executions] == ["execution-1", "second"]
    assert [moment.summary.agent_type for moment in executions[0].moments] == ["a", "b"]


def test_an_agent_started_its_duration_before_it_completed() -> None:
    """Without a usable duration the start is unknown."""
    (execution,) = _executions(_at(10, 4_000))
    assert execution.moments[0].started == COMPLETED + timedelta(seconds=6)
    assert execution.span == (COMPLETED + timedelta(seconds=6), COMPLETED + timedelta(seconds=10))
    for unusable in (None, -1, "4000", True, 10**18, [4]):
        (execution,) = _executions(_at(10, unusable))
        assert execution.moments[0].started is None
        assert execution.span == (COMPLETED + timedelta(seconds=10),) * 2


def test_a_pause_is_when_no_agent_worked() -> None:
    """A long-running agent fills the gap between the completions of others."""
    (gap,) = _executions(_at(5, 5_000, "a"), _at(20, 5_000, "b"), _at(21, 3_000, "c"))
    assert gap.pauses() == {1: timedelta(seconds=10)}
    (covered,) = _executions(_at(5, 5_000, "a"), _at(20, 5_000, "b"), _at(21, 21_000, "c"))
    assert covered.pauses() == {}
    (unknown,) = _executions(_at(5, 5_000, "a"), _at(20, agent="b"))
    assert unknown.pauses() == {}
    (brief,) = _executions(_at(5, 5_000, "a"), _at(10.9, 5_000, "b"))
    assert brief.pauses() == {}


def test_a_pause_precedes_the_first_completion_after_it() -> None:
    """Another agent may have started earlier and completed later."""
    (execution,) = _executions(_at(5, 5_000, "a"), _at(20, 2_000, "quick"), _at(30, 20_000, "slow"))
    assert execution.pauses() == {1: timedelta(seconds=5)}


def test_a_pause_between_executions_lasts_from_the_last_completion_to_the_first_start() -> None:
    """Overlapping executions have none."""
    first, later = _executions(_at(5), _at(100, 5_000, execution_id="later"))
    assert pause_between(first, later) == timedelta(seconds=90)
    first, overlapping = _executions(_at(5), _at(100, 98_000, execution_id="overlapping"))
    assert pause_between(first, overlapping) is None


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1.0 s"),
        (13_640, "13.6 s"),
        (59_949, "59.9 s"),
        (59_950, "1 min 00 s"),
        (125_400, "2 min 05 s"),
        (3_599_999, "1 h 00 min"),
        (6_360_000, "1 h 46 min"),
        (100 * 3_600_000, "4 d 04 h"),
    ],
)
def test_durations_have_at_most_two_units(milliseconds: int, text: str) -> None:
    """Rounding never shows 60 seconds or 60 minutes."""
    assert duration_text(timedelta(milliseconds=milliseconds)) == text


def test_items_written_by_hand_are_tolerated() -> None:
    """Without a valid time there is neither a start nor a pause."""
    odd = {"recommendationId": "rec-1", "timestamp": "noon", "metadata": {"durationMs": Decimal(5)}, "executionId": "e"}
    (execution,) = group_by_execution([odd])
    assert (execution.span, execution.pauses(), execution.moments[0].started) == (None, {}, None)
    early = {"recommendationId": "r", "timestamp": "0001-01-01T00:00:00.000000Z", "metadata": {"durationMs": 5}}
    assert group_by_execution([early])[0].moments[0].started is None
