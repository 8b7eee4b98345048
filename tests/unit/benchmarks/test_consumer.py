"""The consumer's benchmark measures what it says and runs end to end; how fast anything is, no test asserts."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.consumer import __main__ as consumer
from benchmarks.consumer import cpu as consumer_cpu
from benchmarks.consumer.events import FEW, MANY, PROSE, event_text, facts
from benchmarks.support.recommendation import leaves, recorded_fields
from recommendation_shared.envelope.model import write_envelope
from recommendation_shared.envelope.reading import read_wire


def test_events_hold_valid_recommendations_each_with_its_own_id() -> None:
    """Otherwise a row would measure poison, or duplicates."""
    for kind in (PROSE, FEW, MANY):
        bodies = [record["body"] for record in json.loads(event_text(kind, 20))["Records"]]
        assert len({read_wire(body)["recommendationId"] for body in bodies}) == 20
        assert len({read_wire(body)["agentType"] for body in bodies}) == 7


def test_items_are_of_the_size_that_the_figures_are_about() -> None:
    """5 KB in prose, a simple output lengthened to 5 KB, and a usual one of 5 KB in its envelope."""
    prose, few, many = facts(PROSE), facts(FEW), facts(MANY)
    assert 4_900 <= prose["bytes"] <= 5_100
    assert 4_900 <= few["bytes"] <= 5_100
    assert prose["leaves"] <= 25
    assert few["leaves"] == min(_leaves(fields) for fields in recorded_fields().values())
    assert 5_000 <= many["bytes"] <= 6_500
    assert many["leaves"] >= 150
    (record,) = json.loads(event_text(FEW, 1, 7_000))["Records"]
    assert 6_900 <= len(record["body"].encode()) <= 7_100
    assert leaves(json.loads(record["body"])) == few["leaves"]


def _leaves(fields: dict[str, Any]) -> int:
    return leaves(json.loads(write_envelope(**fields).body))


def test_ratios_are_of_what_was_measured_together() -> None:
    """A machine that is twice as slow for one repetition changes none."""
    assert consumer_cpu.times([300, 600, 330], [100, 200, 100]) == 3


def test_quick_run_writes_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each consumer really stores a batch of each kind; memory and starts are measured in processes of their own."""
    target = tmp_path / "made" / "report.json"
    assert consumer.main(["--quick", "--json", str(target)]) == 0
    report = json.loads(target.read_text())
    assert [row["name"] for row in report["rows"]] == [row.name for row in consumer_cpu.ROWS]
    for row in report["rows"]:
        assert [(one["kind"], one["records"]) for one in row["cpu"]] == [(PROSE, 10), (FEW, 10), (MANY, 10)]
        assert all(one["p50"] > 0 for one in row["cpu"])
        assert all((one["times"] == 1) == (row["name"] == consumer_cpu.OURS) for one in row["cpu"])
    assert report["memory"]["heap"] > report["memory"]["event"] > 1
    assert report["memory"]["rss"] > 0
    assert all(report["starts"][name] > 0 for name in ("start", "aioboto3", "first", "second"))
    printed = capsys.readouterr().out
    assert all(f"| {row.name} |" in printed for row in consumer_cpu.ROWS)
