"""The simulation balances, is deterministic, and shows each limit where arithmetic puts it."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.scaling import limits
from benchmarks.scaling.__main__ import main
from benchmarks.scaling.deployments import deployments
from benchmarks.scaling.limits import Deployment
from benchmarks.scaling.report import RATES, binding_limit
from benchmarks.scaling.simulation import Result, simulate

pytestmark = pytest.mark.one_python

ROOT = Path(__file__).parents[3]
NEW = Deployment(envelope_bytes=5_120, table_units=5, index_units=5, record_seconds=0.0004)
WARM = replace(NEW, warm_units=40_000)


def _balanced(result: Result) -> bool:
    return result.arrived == pytest.approx(result.stored + result.backlog + result.dead)


@pytest.mark.parametrize("rate", [1, 50, 2_000, 100_000])
def test_every_message_is_stored_waiting_or_dead(rate: float) -> None:
    """Whichever limit binds."""
    result = simulate(rate, 60, NEW)
    assert _balanced(result)
    assert sum(messages for _, messages in result.lags) == pytest.approx(result.stored)


def test_equal_seeds_give_equal_results() -> None:
    """Different seeds give different arrivals."""
    assert simulate(20, 30, NEW, seed=3) == simulate(20, 30, NEW, seed=3)
    assert simulate(20, 30, NEW, seed=3).arrived != simulate(20, 30, NEW, seed=4).arrived


def test_a_few_messages_wait_for_the_batching_window() -> None:
    """They share an invocation, so there is at most one for each window."""
    result = simulate(5, 100, NEW)
    assert 0 < result.lag(50) <= result.lag(99) <= NEW.window + 0.3
    assert result.invocations <= 100 / NEW.window + 1


def test_without_a_window_every_message_is_delivered_at_once() -> None:
    """As on the local stack, which ignores the window."""
    result = simulate(1, 100, replace(NEW, window=0.0))
    assert result.lag(99) <= 0.3
    assert result.invocations >= 0.8 * result.arrived


def test_a_new_tables_write_units_bind_first() -> None:
    """4,000 units a second allow 800 items of five units."""
    result = simulate(2_000, 60, NEW)
    assert result.stored / 60 == pytest.approx(800, rel=0.05)
    assert "the table's write units" in binding_limit(2_000, NEW, result, 60)


def test_on_a_warm_table_seven_partitions_bind() -> None:
    """7 x 1,000 units at five per item; compact indexes allow five times as much, eight shards eight times."""
    result = simulate(2_000, 60, WARM)
    assert result.stored / 60 == pytest.approx(1_400, rel=0.05)
    assert "an agent type's index partition" in binding_limit(2_000, WARM, result, 60)
    partition = "an agent type's index partition"
    assert WARM.capacities(0)[partition] == 1_400
    assert replace(WARM, index_units=1).capacities(0)[partition] == 5 * 1_400
    assert replace(WARM, shards=8).capacities(0)[partition] == 8 * 1_400


def test_the_ramp_adds_five_batches_a_second() -> None:
    """It starts with five, and stops at the maximum concurrency."""
    slow = replace(WARM, record_seconds=0.01, maximum_concurrency=100)
    capacities = [slow.capacities(seconds)["the mapping's concurrency"] for seconds in (0, 10, 1_000)]
    assert [round(capacity / capacities[0], 6) for capacity in capacities] == [1, 11, 20]


def test_too_many_consumers_on_a_throttling_table_return_messages_to_the_queue() -> None:
    """They wait there for hours before any is dead-lettered. With a limited concurrency, none is returned."""
    crowd = replace(NEW, maximum_concurrency=1_000)
    assert simulate(3_000, 120, crowd).returned > 0
    assert simulate(3_000, 120, NEW).returned == 0
    result = simulate(60, 820, replace(NEW, maximum_concurrency=40, warm_units=100))
    assert result.returned > result.dead == 0
    assert _balanced(result)


def test_messages_in_flight_are_limited() -> None:
    """A standard queue allows 120,000, even where a thousand batches of 861 could run."""
    crowd = replace(NEW, maximum_concurrency=1_000)
    assert limits.IN_FLIGHT - 1 <= simulate(100_000, 60, crowd).most_in_flight <= limits.IN_FLIGHT


def test_an_invocation_takes_six_megabytes() -> None:
    """About 860 envelopes of 5 KB; for small ones the batch size is the limit."""
    assert 840 <= NEW.records <= 880
    assert replace(NEW, envelope_bytes=500).records == limits.BATCH_SIZE


def test_constants_equal_those_of_the_template() -> None:
    """The template is read as text, which needs no YAML loader for CloudFormation."""
    template = (ROOT / "infra" / "template.yaml").read_text()

    def default(parameter: str) -> str:
        value = template.split(f"\n  {parameter}:\n")[1].split("Default: ")[1]
        return value.splitlines()[0].strip('"')

    assert default("BatchSize") == str(limits.BATCH_SIZE)
    assert default("MaximumConcurrency") == str(limits.MAXIMUM_CONCURRENCY)
    assert default("VisibilityTimeout") == str(int(limits.VISIBILITY))
    assert f"MaximumBatchingWindowInSeconds: {limits.WINDOW:.0f}" in template
    assert default("MaxReceiveCount") == str(limits.RECEIVES)


def test_a_short_run_prints_every_rate(capsys: pytest.CaptureFixture[str]) -> None:
    """For every deployment."""
    assert main(["--seconds", "2"]) == 0
    printed = capsys.readouterr().out
    for name in deployments():
        assert f"\n{name}, 2 s of load" in printed
    assert all(printed.count(f"| {rate:,} |") == len(deployments()) for rate in RATES)
