"""Compare the original estimate of a month's cost with the measured cost: `python -m benchmarks.usage.cost_comparison`.

The estimate was less than $0.05 a month for 1,000 incidents: 7,000 writes, 10,000 reads and 21,000 items of 5 KB.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from recommendation_cli.cost.bill import bill
from recommendation_cli.cost.prices import Prices
from recommendation_cli.cost.profile import Profile
from recommendation_cli.cost.workload import Workload

MONTH: Final = Workload(incidents=1_000)
_WHY: Final = {
    "writes": "an item of 5 KB is 5 units, not 1, and is written to three indexes too: 20 units",
    "reads": "a read lists an incident: seven items of an index, with eventual consistency",
    "storage": "each item is copied to three indexes; 7 recommendations of 1,000 incidents, kept for 90 days",
    "recovery": "not counted: point-in-time recovery",
    "reviews": "not counted: two reviews of each incident, kept, and a query for them at each read",
    "queue": "not counted: Lambda polls an empty queue all month; the messages themselves cost 0.1 cent",
    "function": "not counted: one invocation per incident, nearly always a cold start at this rate",
    "metrics": "not counted: billed for each hour in which they are sent",
    "metrics by incident": "not counted: each agent of each incident is a separate metric, for one hour",
    "alarms and dashboard": "not counted: 15 alarm metrics and production's dashboard",
    "logs": "not counted",
}


def estimated(prices: Prices) -> dict[str, float]:
    """Return the lines of the original estimate, at today's prices."""
    return {
        "writes": 7_000 * prices.usd("dynamodb", "write_unit_million") / 1e6,
        "reads": 10_000 * prices.usd("dynamodb", "read_unit_million") / 1e6,
        "storage": 21_000 * 5 * 1024 / 1e9 * prices.usd("dynamodb", "storage_gb_month"),
    }


def group(service: str, what: str) -> str:
    """Return the line of the comparison that a line of the bill belongs to."""
    match service:
        case "SQS":
            return "queue"
        case "Lambda":
            return "function"
        case "DynamoDB" if what.startswith("reviews"):
            return "reviews"
        case "DynamoDB":
            by_first_word = {"writes": "writes", "deletes": "writes", "reads": "reads", "storage": "storage"}
            return by_first_word.get(what.split(maxsplit=1)[0], "recovery")
        case _:
            if what.startswith("metrics"):
                return "metrics by incident" if "incident" in what else "metrics"
            return "logs" if what.startswith("logs") else "alarms and dashboard"


def measured(prices: Prices) -> dict[str, float]:
    """Return the same lines and all others, as `recs cost` computes them."""
    sums = dict.fromkeys(_WHY, 0.0)
    for line in bill(MONTH, Profile.shipped(), prices):
        sums[group(line.service, line.what)] += line.usd
    return sums


def switches(prices: Prices) -> str:
    """Return a Markdown table of what the switches save: list prices, and what is beyond the free tier."""
    variants: dict[str, dict[str, Any]] = {
        "with everything on": {},
        "without the dashboard": {"stage": "staging"},
        "and `IncidentMetrics=property`": {"stage": "staging", "incident_metrics": "property"},
        "and compact indexes": {"stage": "staging", "incident_metrics": "property", "compact": True},
    }
    rows = [f"| incidents a month | {' | '.join(variants)} |", "|--:|" + "--:|" * len(variants)]
    for power in range(1, 7):
        cells = []
        for changes in variants.values():
            lines = bill(replace(MONTH, incidents=10**power, **changes), Profile.shipped(), prices)
            total, beyond = sum(line.usd for line in lines), sum(line.usd_beyond_free_tier for line in lines)
            cells.append(f"{total:,.2f} / {beyond:,.2f}")
        rows.append(f"| {10**power:,} | {' | '.join(cells)} |")
    return "\n".join(rows)


def table(before: Mapping[str, float], now: Mapping[str, float]) -> str:
    """Return the comparison as a Markdown table."""
    rows = ["| USD a month | original | measured | why |", "|---|--:|--:|---|"]
    for name, why in _WHY.items():
        estimate = f"{before[name]:.4f}" if name in before else "0"
        rows.append(f"| {name} | {estimate} | {now[name]:.4f} | {why} |")
    rows.append(f"| **total** | {sum(before.values()):.4f} | {sum(now.values()):.4f} | |")
    return "\n".join(rows)


def main() -> None:
    """Print the comparison."""
    prices = Prices.shipped()
    print(table(estimated(prices), measured(prices)))
    print()
    print(switches(prices))


if __name__ == "__main__":
    main()
