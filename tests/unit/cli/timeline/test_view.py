import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from tests.support.fakes.recommendation_table import FakeDynamoDb, IndexedDynamoDb, Item, item, runtime


def _at(second: float, took_ms: object = None, agent: str = "consensus", **fields: Any) -> Item:
    """Return an item that completed `second` seconds after noon, after working for `took_ms`."""
    metadata = {"status": "SUCCESS"} if took_ms is None else {"status": "SUCCESS", "durationMs": took_ms}
    return item(agent, age=timedelta(seconds=-second), **{"metadata": metadata, **fields})


def _recs(*args: str, table: list[Item], environ: dict[str, str] | None = None) -> Result:
    newest_first = sorted(table, key=lambda stored: str(stored["timestamp"]["S"]), reverse=True)
    return CliRunner(env=environ).invoke(recs, ["timeline", *args], obj=runtime(FakeDynamoDb(newest_first), environ))


def test_a_timeline_shows_who_said_what_and_when() -> None:
    """Failed agents are marked, and pauses within and between executions are shown."""
    table = [
        _at(5, 5_000, "knowledge-rag", reasoning="First."),
        _at(20, 5_000, "historical-pattern", metadata={"status": "TIMEOUT", "durationMs": 5_000}),
        _at(20, reasoning="Together."),
        _at(7_220, 5_000, execution_id="again", metadata={"replayMetadata": {"replay_of": "execution-1"}}),
    ]
    result = _recs("incident-7", table=table, environ={"COLUMNS": "80"})
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
    assert first.index("━") < failed.index("━"), "the chart is in order of time"


@pytest.mark.parametrize("width", [40, 60, 80, 120, 300])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """On a narrow terminal the chart is left out."""
    table = [_at(1, 1_000, "x" * 100, execution_id="e" * 200), _at(2, reasoning="word " * 200, execution_id="e" * 200)]
    printed = _recs("incident-7", table=table, environ={"COLUMNS": str(width)}).stdout
    assert max(map(len, printed.splitlines())) <= width
    assert ("◆" in printed) == (width >= 80)


def test_programs_get_one_event_per_recommendation() -> None:
    """Unknown values are null."""
    table = [_at(5, 5_000.5, "a"), _at(20, 5_000, "b", confidence=0.5), _at(21, metadata={"status": "FAILURE"})]
    events = json.loads(_recs("incident-7", "-o", "json", table=table).stdout)
    assert [event["pauseBeforeMs"] for event in events] == [None, 10_000, None]
    assert [event["durationMs"] for event in events] == [5_000, 5_000, None]
    assert [event["failed"] for event in events] == [False, False, True]
    assert events[1]["started"] == "2026-01-31T12:00:15Z"
    assert events[1]["confidence"] == 0.5
    lines = _recs("incident-7", "-o", "jsonl", table=table).stdout.splitlines()
    assert [json.loads(line) for line in lines] == events


def test_control_characters_of_agents_are_escaped() -> None:
    """Every line that prints agents' text is safe."""
    hostile = "\x1b]0;owned\x07"
    metadata = {"status": hostile, "replayMetadata": {"replayOf": hostile}}
    printed = _recs("incident-7", table=[_at(1, reasoning=hostile, metadata=metadata)]).stdout
    assert not set(printed) & set("\x1b\x07")
    assert r"\x1b]0;owned\x07" in printed


def test_finding_nothing_exits_with_1() -> None:
    """The message is the same as in other commands."""
    assert _recs("incident-8", table=[]).exit_code == 1
    assert "check the ID" in _recs("incident-8", table=[]).stderr
    assert "Examples:\n    recs timeline " in _recs("-h", table=[]).stdout


def test_an_item_written_by_hand_is_shown() -> None:
    """It may have no valid time and no metadata."""
    bare = {"recommendationId": {"S": "rec-1"}, "timestamp": {"S": "noon"}, "metadata": {"S": "none"}}
    assert _recs("incident-7", table=[bare]).exit_code == 0


def test_a_timeline_asks_only_for_what_it_prints() -> None:
    """Which execution is replayed is among it; other formats have whole items, as their headlines need them."""
    replay = {"replay_of": "execution-1", "notes": "long"}
    table = IndexedDynamoDb([_at(5), _at(7_220, execution_id="again", metadata={"replayMetadata": replay})])
    result = CliRunner().invoke(recs, ["timeline", "incident-7"], obj=runtime(table))
    assert "  replay of execution-1" in result.stdout
    names = set(table.queries[0]["ExpressionAttributeNames"].values())
    assert names >= {"reasoning", "replay_of"}
    assert not names & {"citations", "notes"}
    CliRunner().invoke(recs, ["timeline", "incident-7", "-o", "json"], obj=runtime(table))
    assert "ProjectionExpression" not in table.queries[-1]
