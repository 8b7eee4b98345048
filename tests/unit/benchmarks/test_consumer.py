"""The consumer's benchmark measures what it claims and runs end to end. No test asserts a speed."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.consumer import __main__ as consumer
from benchmarks.consumer import cpu
from benchmarks.consumer.events import FEW, MANY, PROSE, event_text, facts
from benchmarks.support.recorded_outputs import count_leaves, recorded_fields
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.writing import write_envelope


def test_events_hold_valid_recommendations_with_unique_ids() -> None:
    """Otherwise a row would measure poison or duplicates."""
    for kind in (PROSE, FEW, MANY):
        bodies = [record["body"] for record in json.loads(event_text(kind, 20))["Records"]]
        assert len({read_envelope(body)["recommendationId"] for body in bodies}) == 20
        assert len({read_envelope(body)["agentType"] for body in bodies}) == 7


def test_items_have_the_size_that_the_report_states() -> None:
    """5 KB of prose, a simple output lengthened to 5 KB, and a typical one of 5 KB in its envelope."""
    prose, few, many = facts(PROSE), facts(FEW), facts(MANY)
    assert 4_900 <= prose["bytes"] <= 5_100
    assert 4_900 <= few["bytes"] <= 5_100
    assert prose["leaves"] <= 25
    assert few["leaves"] == min(_leaves(fields) for fields in recorded_fields().values())
    assert 5_000 <= many["bytes"] <= 6_500
    assert many["leaves"] >= 150
    (record,) = json.loads(event_text(FEW, 1, 7_000))["Records"]
    assert 6_900 <= len(record["body"].encode()) <= 7_100
    assert count_leaves(json.loads(record["body"])) == few["leaves"]


def _leaves(fields: dict[str, Any]) -> int:
    return count_leaves(json.loads(write_envelope(**fields).body))


def test_ratios_compare_figures_of_the_same_repetition() -> None:
    """A machine that is half as fast during one repetition does not change the ratio."""
    assert cpu.median_ratio([300, 600, 330], [100, 200, 100]) == 3


@pytest.mark.one_python
def test_quick_run_reports_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each consumer stores a batch of each kind; memory and cold starts are measured in separate processes."""
    target = tmp_path / "new folder" / "report.json"
    assert consumer.main(["--quick", "--json", str(target)]) == 0
    report = json.loads(target.read_text())
    assert [row["name"] for row in report["rows"]] == [contender.name for contender in cpu.CONTENDERS]
    for row in report["rows"]:
        assert [(cell["kind"], cell["records"]) for cell in row["cpu"]] == [(PROSE, 10), (FEW, 10), (MANY, 10)]
        assert all(cell["p50"] > 0 for cell in row["cpu"])
        assert all((cell["ratio"] == 1) == (row["name"] == cpu.OURS) for cell in row["cpu"])
    assert report["memory"]["heap"] > report["memory"]["event"] > 1
    assert report["memory"]["rss"] > 0
    assert all(report["starts"][name] > 0 for name in ("start", "aioboto3", "first", "second"))
    printed = capsys.readouterr().out
    assert all(f"| {contender.name} |" in printed for contender in cpu.CONTENDERS)
