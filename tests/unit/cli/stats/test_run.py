import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.stats.tally import Quartiles, percentile, quartiles
from tests.support.fakes.recommendation_table import IndexedDynamoDb, Item, item, runtime

_DAY = timedelta(days=1)


def _run(table: list[Item], *args: str) -> Result:
    return CliRunner().invoke(recs, ["stats", *args], obj=runtime(IndexedDynamoDb(table)))


def _agent(number: int, *, confidence: float, status: str = "SUCCESS", **metadata: Any) -> Item:
    cost = {"inputTokens": 100, "outputTokens": 20, "estimatedCost": 0.01, "model": "large"}
    return item(
        "knowledge-rag",
        age=number * timedelta(hours=1),
        execution_id=f"execution-{number}",
        confidence=confidence,
        metadata={"status": status, "durationMs": 1000 * (number + 1), "agentVersion": "1.2", "cost": cost, **metadata},
    )


def _consensus(number: int, *minority: str) -> Item:
    opinions = [{"agent_id": agent, "answer": "no"} for agent in minority]
    said = {"minority_opinions": opinions}
    return item(age=number * timedelta(hours=1), execution_id=f"execution-{number}", recommendation=said)


_TABLE = [
    _agent(0, confidence=0.9),
    _agent(1, confidence=0.5, status="TIMEOUT"),
    _agent(2, confidence=0.7, agentVersion="1.1"),
    _consensus(0),
    _consensus(1, "knowledge-rag"),
    item("knowledge-rag", age=35 * _DAY, confidence=0.6, metadata={"status": "FAILURE"}),
    item("knowledge-rag", age=90 * _DAY, confidence=0.1),
]


def _records(*args: str) -> dict[tuple[Any, Any], dict[str, Any]]:
    result = _run(_TABLE, *args, "-o", "json")
    assert result.exit_code == 0, result.output
    return {(record["agentType"], record["agentVersion"]): record for record in json.loads(result.stdout)}


def test_each_agent_is_counted_and_measured() -> None:
    """Agreement counts only executions with a consensus; the period before is as long."""
    record = _records()["knowledge-rag", None]
    over_time = record.pop("confidenceOverTime")
    assert over_time[-1] == 0.7
    assert over_time[:-1] == [None] * 11
    assert record == {
        "agentType": "knowledge-rag",
        "agentVersion": None,
        "model": None,
        "count": 3,
        "failed": 1,
        "timedOut": 1,
        "confidenceMedian": 0.7,
        "confidenceFirstQuartile": 0.6,
        "confidenceThirdQuartile": 0.8,
        "agreement": 0.5,
        "durationP50Ms": 2000,
        "durationP95Ms": 3000,
        "tokens": 360,
        "usd": 0.03,
        "reviewed": 0,
        "helpfulShare": None,
        "helpfulLow": None,
        "helpfulHigh": None,
        "brier": None,
        "verdicts": {"helpful": 0, "partly": 0, "wrong": 0, "harmful": 0, "not-followed": 0},
        "calibration": None,
        "calibrationBins": [],
        "dissents": 0,
        "dissentsRight": 0,
        "dissentsWrong": 0,
        "rightAgainstConsensus": [],
        "previousCount": 1,
        "previousFailed": 1,
        "previousTimedOut": 0,
        "previousConfidenceMedian": 0.6,
        "previousConfidenceFirstQuartile": 0.6,
        "previousConfidenceThirdQuartile": 0.6,
        "previousAgreement": None,
        "previousDurationP50Ms": None,
        "previousDurationP95Ms": None,
        "previousTokens": 0,
        "previousUsd": 0.0,
        "previousReviewed": 0,
        "previousHelpfulShare": None,
        "previousHelpfulLow": None,
        "previousHelpfulHigh": None,
        "previousBrier": None,
    }


def test_versions_and_all_agents_have_their_own_records() -> None:
    """A version's record names its model."""
    records = _records()
    assert records[None, None]["count"] == 5
    assert (records["knowledge-rag", "1.2"]["count"], records["knowledge-rag", "1.2"]["model"]) == (2, "large")
    assert records["knowledge-rag", "1.1"]["count"] == 1


def test_filters_apply_to_both_periods() -> None:
    """Only what matches is counted; the consensus still says who agreed."""
    record = _records("--failed", "--agent", "knowledge-rag")["knowledge-rag", None]
    assert (record["count"], record["previousCount"], record["agreement"]) == (1, 1, 0.0)


def test_the_table_has_a_course_and_a_trend() -> None:
    """And says what reading both periods cost."""
    result = _run(_TABLE)
    assert result.exit_code == 0
    assert "count +200%, failed -67%, confidence +0.10" in result.stdout
    assert "0.60-0.80" in result.stdout
    assert "5 recommendations in the period; read 6 recommendations: 0.0 read units" in result.stderr


@pytest.mark.parametrize(("columns", "lines"), [(80, 3), (100, 3), (150, 2), (200, 1)])
def test_nothing_is_cut_off_whatever_the_width(columns: int, lines: int) -> None:
    """What does not fit beside the rest is in lines below it."""
    surroundings = runtime(IndexedDynamoDb(_TABLE), {"COLUMNS": str(columns)})
    printed = CliRunner().invoke(recs, ["stats"], obj=surroundings).stdout
    assert "…" not in printed
    assert max(map(len, printed.splitlines())) <= columns
    agents = printed.split("agent ")[1].splitlines()
    start = next(number for number, line in enumerate(agents) if line.startswith("knowledge-rag"))
    row = agents[start : start + lines]
    assert [line.startswith(" ") for line in row] == [False] + [True] * (lines - 1)
    for text in ("0.70  0.60-0.80", "2.0 s", "3.0 s", "360", "$0.0300", "count +200%, failed -67%, confidence +0.10"):
        assert text in "\n".join(row)


def test_csv_has_a_row_for_each_record() -> None:
    """Its columns are the fields."""
    rows = list(csv.DictReader(io.StringIO(_run(_TABLE, "-o", "csv").stdout)))
    assert [row["agentType"] for row in rows][:3] == ["", "consensus", "knowledge-rag"]


def test_nothing_in_the_period_is_exit_code_1() -> None:
    """A period before the data, and one that has no beginning, which is a usage error."""
    assert _run([], "--since", "1d").exit_code == 1
    assert _run(_TABLE, "--until", "2026-01-31").exit_code == 2


def test_a_timestamp_that_is_not_a_time_is_counted_too() -> None:
    """An item written by hand may have one that sorts within the period; only its place in the course is unknown."""
    odd = {**item("knowledge-rag", confidence=0.9), "timestamp": {"S": "2026-01-31, noon"}}
    result = _run([odd], "-o", "json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)[0]["count"] == 1
    assert set(json.loads(result.stdout)[0]["confidenceOverTime"]) == {None}


def test_percentiles_are_values_that_occurred() -> None:
    """Of one value, each of them is that value; of none there is none."""
    assert [percentile(range(1, 101), percent) for percent in (50, 95)] == [50, 95]
    assert percentile([7.0], 95) == 7.0
    assert percentile([], 50) is None
    assert quartiles([0.5]) == Quartiles(0.5, 0.5, 0.5)
    assert quartiles([]) is None
