"""What `recs timeline` shows."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.timeline.runs import duration_text, pause_between, runs
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import COMPLETED, FakeDynamoDb, Item, item, runtime


def _at(second: float, took_ms: object = None, agent: str = "consensus", **fields: Any) -> Item:
    """Make an item that completed `second` seconds after noon, having worked for `took_ms`."""
    metadata = {"status": "SUCCESS"} if took_ms is None else {"status": "SUCCESS", "durationMs": took_ms}
    return item(agent, age=timedelta(seconds=-second), **{"metadata": metadata, **fields})


def _runs(*made: Item) -> Any:
    return runs(decode_item(one) for one in made)


def _recs(*args: str, made: list[Item], environ: dict[str, str] | None = None) -> Result:
    newest_first = sorted(made, key=lambda one: str(one["timestamp"]["S"]), reverse=True)
    return CliRunner(env=environ).invoke(recs, ["timeline", *args], obj=runtime(FakeDynamoDb(newest_first), environ))


def test_executions_and_what_they_said_are_in_the_order_of_time() -> None:
    """Whatever order the table gives them in."""
    found = _runs(_at(20, execution_id="second"), _at(5, agent="b"), _at(1, agent="a"))
    assert [run.execution_id for run in found] == ["execution-1", "second"]
    assert [moment.summary.agent_type for moment in found[0].moments] == ["a", "b"]


def test_a_start_is_the_completion_less_the_duration() -> None:
    """Without a usable duration it is unknown, rather than guessed at."""
    (run,) = _runs(_at(10, 4_000))
    assert run.moments[0].started == COMPLETED + timedelta(seconds=6)
    assert run.span == (COMPLETED + timedelta(seconds=6), COMPLETED + timedelta(seconds=10))
    for unusable in (None, -1, "4000", True, 10**18, [4]):
        (run,) = _runs(_at(10, unusable))
        assert run.moments[0].started is None
        assert run.span == (COMPLETED + timedelta(seconds=10),) * 2


def test_a_pause_is_when_no_agent_worked() -> None:
    """One that began early covers what lies between the completions of others."""
    (gap,) = _runs(_at(5, 5_000, "a"), _at(20, 5_000, "b"), _at(21, 3_000, "c"))
    assert gap.pauses() == {1: timedelta(seconds=10)}
    (covered,) = _runs(_at(5, 5_000, "a"), _at(20, 5_000, "b"), _at(21, 21_000, "c"))
    assert covered.pauses() == {}
    (unknown,) = _runs(_at(5, 5_000, "a"), _at(20, agent="b"))
    assert unknown.pauses() == {}
    (brief,) = _runs(_at(5, 5_000, "a"), _at(10.9, 5_000, "b"))
    assert brief.pauses() == {}


def test_a_pause_stands_before_the_first_completion_after_it() -> None:
    """Though another agent began earlier and completed later."""
    (run,) = _runs(_at(5, 5_000, "a"), _at(20, 2_000, "quick"), _at(30, 20_000, "slow"))
    assert run.pauses() == {1: timedelta(seconds=5)}


def test_the_pause_between_executions_is_known_where_they_do_not_overlap() -> None:
    """From the last completion to the first start."""
    first, later = _runs(_at(5), _at(100, 5_000, execution_id="later"))
    assert pause_between(first, later) == timedelta(seconds=90)
    first, overlapping = _runs(_at(5), _at(100, 98_000, execution_id="overlapping"))
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
def test_durations_are_for_people(milliseconds: int, text: str) -> None:
    """Two units at most, none of them full."""
    assert duration_text(timedelta(milliseconds=milliseconds)) == text


def test_the_page_shows_who_said_what_when() -> None:
    """With the failed agent marked, and pauses within and between executions."""
    made = [
        _at(5, 5_000, "knowledge-rag", reasoning="First."),
        _at(20, 5_000, "historical-pattern", metadata={"status": "TIMEOUT", "durationMs": 5_000}),
        _at(20, reasoning="Together."),
        _at(7_220, 5_000, execution_id="again", metadata={"replayMetadata": {"replay_of": "execution-1"}}),
    ]
    result = _recs("incident-7", made=made, environ={"COLUMNS": "80"})
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    for line in (
        "Execution execution-1",
        "  2026-01-31 12:00:00 UTC, 20.0 s · 1 of 3 not successful",
        "              · 10.0 s with no agent recorded at work",
        "· 2 h 00 min until the next execution",
        "  replay of execution-1",
        "    Together.",
    ):
        assert line in lines
    failed = next(line for line in lines if "TIMEOUT" in line)
    assert failed.split()[:6] == ["12:00:20.000", "5.0", "s", "historical-pattern", "0.87", "!"]
    first = next(line for line in lines if "knowledge-rag" in line)
    assert first.index("━") < failed.index("━"), "the chart has the order of time"


@pytest.mark.parametrize("width", [40, 60, 80, 120, 300])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """However narrow it is; where a chart would say nothing it is left out."""
    made = [_at(1, 1_000, "x" * 100, execution_id="e" * 200), _at(2, reasoning="word " * 200, execution_id="e" * 200)]
    printed = _recs("incident-7", made=made, environ={"COLUMNS": str(width)}).stdout
    assert max(map(len, printed.splitlines())) <= width
    assert ("◆" in printed) == (width >= 80)


def test_programs_get_the_same_as_plain_values() -> None:
    """One event a recommendation; what is unknown is null."""
    made = [_at(5, 5_000.5, "a"), _at(20, 5_000, "b", confidence=0.5), _at(21, metadata={"status": "FAILURE"})]
    events = json.loads(_recs("incident-7", "-o", "json", made=made).stdout)
    assert [event["pauseBeforeMs"] for event in events] == [None, 10_000, None]
    assert [event["durationMs"] for event in events] == [5_000, 5_000, None]
    assert [event["failed"] for event in events] == [False, False, True]
    assert events[1]["started"] == "2026-01-31T12:00:15Z"
    assert events[1]["confidence"] == 0.5
    lines = _recs("incident-7", "-o", "jsonl", made=made).stdout.splitlines()
    assert [json.loads(line) for line in lines] == events


def test_an_item_written_by_hand_has_its_place() -> None:
    """Without a time there is neither a bar nor a pause."""
    odd = {"recommendationId": "rec-1", "timestamp": "noon", "metadata": {"durationMs": Decimal(5)}, "executionId": "e"}
    (run,) = runs([odd])
    assert (run.span, run.pauses(), run.moments[0].started) == (None, {}, None)
    bare = {"recommendationId": {"S": "rec-1"}, "timestamp": {"S": "noon"}, "metadata": {"S": "none"}}
    result = _recs("incident-7", made=[bare])
    assert result.exit_code == 0
    early = {"recommendationId": "r", "timestamp": "0001-01-01T00:00:00.000000Z", "metadata": {"durationMs": 5}}
    assert runs([early])[0].moments[0].started is None


def test_hostile_text_is_only_shown() -> None:
    """Of agents, in every line."""
    hostile = "\x1b]0;owned\x07"
    metadata = {"status": hostile, "replayMetadata": {"replayOf": hostile}}
    printed = _recs("incident-7", made=[_at(1, reasoning=hostile, metadata=metadata)]).stdout
    assert not set(printed) & set("\x1b\x07")
    assert r"\x1b]0;owned\x07" in printed


def test_nothing_found_ends_as_in_other_commands() -> None:
    """With 1."""
    assert _recs("incident-8", made=[]).exit_code == 1
    assert "check the ID" in _recs("incident-8", made=[]).stderr
    assert "Examples:\n    recs timeline " in _recs("-h", made=[]).stdout
