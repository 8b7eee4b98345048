"""Where the pipeline breaks first: simulate it from 1 to 100,000 recommendations a second.

For each rate: how long recommendations take until they are stored, what is left after the run, what an hour of it
costs, and what binds. Compact indexes and write sharding beside it show what each remedy buys.
"""

import argparse
import sys
from dataclasses import replace
from typing import Final

from benchmarks.scaling.limits import TABLE_QUOTA, Setting
from benchmarks.scaling.simulation import Result, simulate
from recommendation_cli.cost.bill import MEMORY_MB
from recommendation_cli.cost.prices import Prices
from recommendation_cli.cost.profile import Profile, billed_requests

SIZE: Final = 5 * 1024  # bytes of an envelope
RATES: Final = (1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000, 100_000)
SECONDS: Final = 300
SHARDS: Final = 8
_VCPU_MB: Final = 1769  # of memory give a whole vCPU (Lambda Developer Guide)
_WRITE_MS: Final = 10 / 25 / 8  # assumed: 10 ms for a BatchWriteItem of 25, eight of them under way


def settings(size: int = SIZE) -> dict[str, Setting]:
    """Return the deployment as it is, on a new table and on a warm one, and with each remedy.

    Write units are the measured ones.
    """
    profile = Profile.shipped()
    one = profile.recommendation(size)
    # The function's time was measured for a full batch of 5 KB, and is taken to grow with the bytes.
    seconds = (profile.batch_cpu_ms * size / SIZE * _VCPU_MB / MEMORY_MB + _WRITE_MS) / 1000
    whole = Setting(size, one.table_units, one.index_units / 3, seconds)
    warm = replace(whole, warm_units=TABLE_QUOTA)
    compact = replace(warm, index_units=one.compact_units / 3)
    return {
        "new table": whole,
        "warm table": warm,
        "warm, compact": compact,
        f"warm, {SHARDS} shards": replace(warm, shards=SHARDS),
        f"warm, compact, {SHARDS} shards": replace(compact, shards=SHARDS),
        "new table, MaximumConcurrency 1,000": replace(whole, maximum_concurrency=1_000),
    }


def binding(rate: float, setting: Setting, result: Result, seconds: float) -> str:
    """Return the bound that the rate exceeds most, or what lag there is without any."""
    found = setting.capacities(seconds / 2)  # what DynamoDB takes grows meanwhile
    name = min(found, key=lambda bound: found[bound])
    if found[name] < rate:
        return f"{name} ({found[name]:,.0f}/s)"
    return "the mapping's ramp" if result.lag(99) > 2 * setting.window else "none (batching window)"


def cost_per_hour(rate: float, setting: Setting, result: Result) -> float:
    """Return US dollars for storing an hour of that rate, without metrics: writes, requests and function time."""
    prices = Prices.shipped()
    each = result.invocations / result.stored if result.stored else 0.0
    units = setting.table_units + 3 * setting.index_units
    requests = 2 * billed_requests(10, setting.envelope_bytes) / 10 + 0.1
    gb_seconds = (setting.record_seconds + each * setting.invocation_seconds) * MEMORY_MB / 1024
    one = (
        units * prices.usd("dynamodb", "write_unit_million") / 1e6
        + requests * prices.usd("sqs", "request_million") / 1e6
        + each * prices.usd("lambda", "request_million") / 1e6
        + gb_seconds * prices.usd("lambda", "gb_second")
    )
    return one * rate * 3600


def table(setting: Setting, seconds: int, seed: int) -> str:
    """Return the rates of one deployment as a table of Markdown."""
    lines = [
        "| rate/s | lag p50 | p99 | stored/s | left | given back | USD/hour | binding |",
        "|" + "--:|" * 7 + "---|",
    ]
    for rate in RATES:
        result = simulate(rate, seconds, setting, seed)
        cells = (
            f"{rate:,}",
            f"{result.lag(50):.1f} s",
            f"{result.lag(99):.1f} s",
            f"{result.stored / seconds:,.0f}",
            f"{result.backlog:,.0f}",
            f"{result.returned:,.0f}",
            f"{cost_per_hour(rate, setting, result):,.2f}",
            binding(rate, setting, result, seconds),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def ceilings(found: dict[str, Setting], seconds: int) -> str:
    """Return what each bound lets by halfway through the load, by deployment, as a table of Markdown."""
    bounds = list(next(iter(found.values())).capacities(seconds / 2))
    lines = [
        f"| recommendations a second, after {seconds // 2} s | {' | '.join(found)} |",
        "|---|" + "--:|" * len(found),
    ]
    for bound in bounds:
        cells = " | ".join(f"{setting.capacities(seconds / 2)[bound]:,.0f}" for setting in found.values())
        lines.append(f"| {bound} | {cells} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run the simulation; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of load")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=SIZE, help="bytes of an envelope")
    options = parser.parse_args(arguments)
    found = settings(options.size)
    print(ceilings(found, options.seconds))
    for name, setting in found.items():
        print(f"\n{name}, {options.seconds} s of load\n")
        print(table(setting, options.seconds, options.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
