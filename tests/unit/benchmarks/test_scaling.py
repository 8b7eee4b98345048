"""The simulation keeps its books, gives the same twice, and shows each bound where arithmetic puts it."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.scaling import __main__ as scaling
from benchmarks.scaling import limits as scaling_limits
from benchmarks.scaling.limits import Setting
from benchmarks.scaling.simulation import Result, simulate

ROOT = Path(__file__).parents[3]
SETTING = Setting(envelope_bytes=5_120, table_units=5, index_units=5, record_seconds=0.0004)
WARM = replace(SETTING, warm_units=40_000)


def _balanced(result: Result) -> bool:
    return result.arrived == pytest.approx(result.stored + result.backlog + result.dead)


@pytest.mark.parametrize("rate", [1, 50, 2_000, 100_000])
def test_every_message_is_stored_waiting_or_dead(rate: float) -> None:
    """Whatever binds."""
    result = simulate(rate, 60, SETTING)
    assert _balanced(result)
    assert sum(messages for _, messages in result.lags) == pytest.approx(result.stored)


def test_equal_seeds_give_equal_results() -> None:
    """And others other arrivals."""
    assert simulate(20, 30, SETTING, seed=3) == simulate(20, 30, SETTING, seed=3)
    assert simulate(20, 30, SETTING, seed=3).arrived != simulate(20, 30, SETTING, seed=4).arrived


def test_a_few_messages_wait_for_the_batching_window() -> None:
    """And share an invocation: at most one for each window."""
    result = simulate(5, 100, SETTING)
    assert 0 < result.lag(50) <= result.lag(99) <= SETTING.window + 0.3
    assert result.invocations <= 100 / SETTING.window + 1


def test_without_a_window_every_message_goes_at_once() -> None:
    """As on the local stack, which ignores it."""
    result = simulate(1, 100, replace(SETTING, window=0.0))
    assert result.lag(99) <= 0.3
    assert result.invocations >= 0.8 * result.arrived


def test_a_new_table_binds_first() -> None:
    """4,000 units a second are 800 items of five."""
    result = simulate(2_000, 60, SETTING)
    assert result.stored / 60 == pytest.approx(800, rel=0.05)
    assert "the table's write units" in scaling.binding(2_000, SETTING, result, 60)


def test_on_a_warm_table_seven_partitions_bind() -> None:
    """7 x 1,000 units for five each; compact indexes of one unit take five times as much, eight shards eight times."""
    result = simulate(2_000, 60, WARM)
    assert result.stored / 60 == pytest.approx(1_400, rel=0.05)
    assert "an agent type's index partition" in scaling.binding(2_000, WARM, result, 60)
    partition = "an agent type's index partition"
    assert WARM.capacities(0)[partition] == 1_400
    assert replace(WARM, index_units=1).capacities(0)[partition] == 5 * 1_400
    assert replace(WARM, shards=8).capacities(0)[partition] == 8 * 1_400


def test_the_ramp_adds_five_batches_a_second() -> None:
    """From five on, up to what the template allows."""
    slow = replace(WARM, record_seconds=0.01, maximum_concurrency=100)
    bounds = [slow.capacities(seconds)["the mapping's concurrency"] for seconds in (0, 10, 1_000)]
    assert [round(bound / bounds[0], 6) for bound in bounds] == [1, 11, 20]


def test_too_many_consumers_on_a_throttling_table_give_messages_back() -> None:
    """Until their fifth receive, then they are dead; a limited concurrency makes them wait in the queue instead."""
    crowd = replace(SETTING, maximum_concurrency=1_000)
    assert simulate(3_000, 120, crowd).returned > 0
    assert simulate(3_000, 120, SETTING).returned == 0
    result = simulate(60, 820, replace(SETTING, maximum_concurrency=40, warm_units=100))
    assert result.dead > 0
    assert _balanced(result)


def test_messages_in_flight_are_limited() -> None:
    """120,000 of a standard queue, even where a thousand batches of 861 may run."""
    crowd = replace(SETTING, maximum_concurrency=1_000)
    assert scaling_limits.IN_FLIGHT - 1 <= simulate(100_000, 60, crowd).most_under_way <= scaling_limits.IN_FLIGHT


def test_an_invocation_takes_six_megabytes() -> None:
    """About 860 envelopes of 5 KB; small ones are bounded by the batch size."""
    assert 840 <= SETTING.records <= 880
    assert replace(SETTING, envelope_bytes=500).records == scaling_limits.BATCH_SIZE


def test_constants_are_those_of_the_template() -> None:
    """As text, which needs no YAML loader for CloudFormation."""
    template = (ROOT / "infra" / "template.yaml").read_text()

    def default(parameter: str) -> str:
        found = template.split(f"\n  {parameter}:\n")[1].split("Default: ")[1]
        return found.splitlines()[0].strip('"')

    assert default("BatchSize") == str(scaling_limits.BATCH_SIZE)
    assert default("MaximumConcurrency") == str(scaling_limits.MAXIMUM_CONCURRENCY)
    assert default("VisibilityTimeout") == str(int(scaling_limits.VISIBILITY))
    assert f"MaximumBatchingWindowInSeconds: {scaling_limits.WINDOW:.0f}" in template
    assert f"maxReceiveCount: {scaling_limits.RECEIVES}" in template


def test_a_short_run_prints_every_rate(capsys: pytest.CaptureFixture[str]) -> None:
    """In every deployment."""
    assert scaling.main(["--seconds", "2"]) == 0
    printed = capsys.readouterr().out
    for name in scaling.settings():
        assert f"\n{name}, 2 s of load" in printed
    assert all(printed.count(f"| {rate:,} |") == len(scaling.settings()) for rate in scaling.RATES)
