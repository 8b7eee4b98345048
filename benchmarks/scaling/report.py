"""The simulation's results as Markdown tables: the limits by deployment, and every rate of one deployment."""

from collections.abc import Mapping
from typing import Final

from benchmarks.scaling.limits import Deployment
from benchmarks.scaling.simulation import Result, simulate
from recommendation_cli.cost.bill import MEMORY_MB
from recommendation_cli.cost.prices import Prices
from recommendation_cli.cost.profile import billed_requests

RATES: Final = (1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000, 100_000)


def binding_limit(rate: float, deployment: Deployment, result: Result, seconds: float) -> str:
    """Return the limit that the rate exceeds most or, if it exceeds none, what causes the lag."""
    capacities = deployment.capacities(seconds / 2)  # halfway, because DynamoDB's capacity grows with time
    name = min(capacities, key=lambda limit: capacities[limit])
    if capacities[name] < rate:
        return f"{name} ({capacities[name]:,.0f}/s)"
    return "the mapping's ramp" if result.lag(99) > 2 * deployment.window else "none (batching window)"


def cost_per_hour(rate: float, deployment: Deployment, result: Result) -> float:
    """Return the US dollars for storing that rate for an hour: writes, requests and function time, but no metrics."""
    prices = Prices.shipped()
    invocations = result.invocations / result.stored if result.stored else 0.0
    units = deployment.table_units + 3 * deployment.index_units
    requests = 2 * billed_requests(10, deployment.envelope_bytes) / 10 + 0.1
    gb_seconds = (deployment.record_seconds + invocations * deployment.invocation_seconds) * MEMORY_MB / 1024
    per_recommendation = (
        units * prices.usd("dynamodb", "write_unit_million") / 1e6
        + requests * prices.usd("sqs", "request_million") / 1e6
        + invocations * prices.usd("lambda", "request_million") / 1e6
        + gb_seconds * prices.usd("lambda", "gb_second")
    )
    return per_recommendation * rate * 3600


def rates_table(deployment: Deployment, seconds: int, seed: int) -> str:
    """Return every rate of one deployment as a Markdown table."""
    lines = [
        "| rate/s | lag p50 | p99 | stored/s | backlog | returned | USD/hour | binding limit |",
        "|" + "--:|" * 7 + "---|",
    ]
    for rate in RATES:
        result = simulate(rate, seconds, deployment, seed)
        cells = (
            f"{rate:,}",
            f"{result.lag(50):.1f} s",
            f"{result.lag(99):.1f} s",
            f"{result.stored / seconds:,.0f}",
            f"{result.backlog:,.0f}",
            f"{result.returned:,.0f}",
            f"{cost_per_hour(rate, deployment, result):,.2f}",
            binding_limit(rate, deployment, result, seconds),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def limits_table(deployments: Mapping[str, Deployment], seconds: int) -> str:
    """Return what each limit lets through halfway into the load, by deployment, as a Markdown table."""
    columns = [deployment.capacities(seconds / 2) for deployment in deployments.values()]
    lines = [
        f"| recommendations a second, after {seconds // 2} s | {' | '.join(deployments)} |",
        "|---|" + "--:|" * len(deployments),
    ]
    for limit in columns[0]:
        cells = " | ".join(f"{capacities[limit]:,.0f}" for capacities in columns)
        lines.append(f"| {limit} | {cells} |")
    return "\n".join(lines)
