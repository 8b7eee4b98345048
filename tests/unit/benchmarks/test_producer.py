"""The producer's benchmarks compute what they claim and run end to end. No test asserts a speed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.producer import __main__ as producer
from benchmarks.producer import soak
from benchmarks.producer.contenders import CONTENDERS
from benchmarks.producer.latency import BLOCK, CallCounts, Subject, measure, percentile, summary
from benchmarks.support.memory import MEBIBYTE
from benchmarks.support.recorded_outputs import count_leaves, typical_fields
from recommendation_producer import Balance


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        (range(1, 101), 50, 50),
        (range(1, 101), 99, 99),
        (range(1, 101), 99.9, 100),
        (range(1, 1001), 99.9, 999),
        ([3, 1, 2], 50, 2),
        ([7], 0, 7),
        ([7], 99.9, 7),
    ],
)
def test_percentile_is_the_nearest_rank(values: list[float], percent: float, expected: float) -> None:
    """Only measured values are reported; nothing is interpolated."""
    assert percentile(values, percent) == expected


def test_summary_is_the_median_of_the_repetitions_in_microseconds() -> None:
    """One bad repetition out of three does not affect it."""
    assert summary([[1_000] * 10, [9_000_000] * 10, [2_000] * 10]) == {"p50": 2, "p99": 2, "p99.9": 2}


def test_every_planned_call_is_timed_and_the_warm_up_is_not() -> None:
    """The worker settles between the phases, untimed."""
    events: list[str] = []
    subject = Subject(lambda: events.append("call"), lambda: events.append("settle"))
    measured = measure(subject, CallCounts(warm_up=20, burst=5, isolated=3), lambda: events.append("yardstick"))
    assert (len(measured.burst), len(measured.isolated)) == (5, 3)
    assert "".join(event[0] for event in events) == "c" * 20 + "s" + "y" * BLOCK + "c" * 5 + "s" + "c" * 3 + "s"


def test_ratio_is_taken_between_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that halves its speed in the middle of a burst changes no ratio."""
    now = 0

    def lasting(nanoseconds: int) -> Callable[[], None]:
        def call() -> None:
            nonlocal now
            now += nanoseconds * (1 if now < 100_000 else 2)

        return call

    monkeypatch.setattr("time.perf_counter_ns", lambda: now)
    measured = measure(Subject(lasting(300)), CallCounts(warm_up=0, burst=10 * BLOCK, isolated=0), lasting(1_000))
    assert now > 200_000
    assert measured.ratio == pytest.approx(0.3)


def test_measured_recommendation_is_typical_and_has_5_kb() -> None:
    """It has nested findings and metric samples."""
    recommendation = typical_fields()["recommendation"]
    assert 5_000 <= len(json.dumps(recommendation)) <= 5_400
    assert 150 <= count_leaves(recommendation) <= 250


@pytest.mark.one_python
def test_quick_run_reports_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each contender runs, including the two that use the network."""
    target = tmp_path / "new folder" / "report.json"
    assert producer.main(["--quick", "--json", str(target)]) == 0
    report = json.loads(target.read_text())
    assert [row["name"] for row in report["rows"]] == [contender.name for contender in CONTENDERS]
    for row in report["rows"]:
        assert row["calls"] == {"burst": producer.QUICK.burst, "isolated": producer.QUICK.isolated}
        for way in ("burst", "isolated"):
            assert 0 < row[way]["p50"] <= row[way]["p99"] <= row[way]["p99.9"]
    assert {"python", "cpus"} <= report["machine"].keys()
    printed = capsys.readouterr().out
    assert all(f"| {contender.name} |" in printed for contender in CONTENDERS)


def test_soak_accounts_for_every_envelope(capsys: pytest.CaptureFixture[str]) -> None:
    """A short run; only the long run judges memory."""
    result = soak.soak(2_000, latency=0.001)
    assert result.is_balanced
    assert result.balance.accepted == 2_000
    assert len(result.sizes) == soak.SAMPLES + 1
    soak.main(["--enqueues", "200"])
    assert "balance                exact" in capsys.readouterr().out


def test_soak_detects_growth_and_loss() -> None:
    """Growth throughout the run is a leak; growth until the buffer is full is not."""
    sizes = [(count, min(count, 20) * MEBIBYTE + count * MEBIBYTE // 10) for count in range(101)]
    leaking = soak.Result(100, 1.0, sizes, Balance(accepted=100, sent=60, dropped={"buffer_full": 40}, pending=0))
    assert leaking.growth == 8 * MEBIBYTE
    assert leaking.slope == pytest.approx(MEBIBYTE / 10, rel=0.01)
    assert leaking.is_balanced
    for lossy in (Balance(100, 60, {"buffer_full": 39}, 0), Balance(100, 99, {}, 1), Balance(99, 99, {}, 0)):
        assert not soak.Result(100, 1.0, sizes, lossy).is_balanced
