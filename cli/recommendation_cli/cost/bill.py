"""A month's bill, line by line: the measured usage of one incident, times the incidents, times the price."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from recommendation_cli.cost.prices import Prices
from recommendation_cli.cost.profile import Profile, Recommendation, billed_requests
from recommendation_cli.cost.workload import Workload
from recommendation_shared.wording import plural

MONTH_HOURS: Final = 730  # as in AWS's own pricing calculator
_MONTH_DAYS: Final = MONTH_HOURS / 24
_GB: Final = 1_000_000_000
_ITEM_OVERHEAD: Final = 100  # bytes of storage per item, and per index entry (DynamoDB Developer Guide)
_INDEXES: Final = 3
_REVIEW_BYTES: Final = 600  # assumed: two IDs, an ARN, and a note of two lines

# An event source mapping starts with five concurrent batches (Lambda Developer Guide, "Configuring scaling behavior
# for SQS"), each a long poll of at most 20 s. AWS does not say how many pollers it keeps when the queue is empty.
POLLERS: Final = 5
_LONG_POLL: Final = 20  # seconds

# As in the template; a test compares them.
MEMORY_MB: Final = 1024
LOG_DAYS: Final = 30
ALARM_METRICS: Final = 15  # in 12 alarms, three of which compare two
PROD_ONLY: Final = 1  # dashboard

_VCPU_MB: Final = 1769  # memory that comes with one vCPU (Lambda Developer Guide, "Configure Lambda function memory")
_WRITE_WAIT_MS: Final = 10  # assumed, for BatchWriteItem: "single-digit milliseconds", and the connection
_WARM_MINUTES: Final = 5  # assumed: AWS does not say how long it keeps an idle sandbox
_REPORT_BYTES: Final = 330  # START, END and REPORT lines that Lambda adds to each invocation's log


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a month's bill.

    `usd` is the list price. `usd_beyond_free_tier` is what is billed if the account uses its always-free allowances for
    nothing else.
    """

    service: str
    what: str
    quantity: float
    unit: str
    usd: float
    usd_beyond_free_tier: float = math.nan  # until every line that shares its allowance is known
    allowance: str = ""  # the key of `free_tier` in the prices


def bill(work: Workload, profile: Profile, prices: Prices) -> list[Line]:
    """Return a month's lines. Raises `ValueError` for a size outside the measured ones."""
    usage = profile.recommendation(work.size)
    lines = [
        *_queue(work, prices),
        *_function(work, usage, profile, prices),
        *_table(work, usage, prices),
        *_reviews(work, prices),
        *_monitoring(work, usage, profile, prices),
        *(_keys(work, prices) if work.kms else ()),
    ]
    return _beyond_free_tier(lines, prices)


def _beyond_free_tier(lines: Sequence[Line], prices: Prices) -> list[Line]:
    """Subtract each allowance from the lines that share it, the first first."""
    left = {line.allowance: prices.usd("free_tier", line.allowance) for line in lines if line.allowance}
    if "cloudwatch_metrics" in left:
        left["cloudwatch_metrics"] *= MONTH_HOURS  # a metric is billed by the hour
    billed = []
    for line in lines:
        free = min(line.quantity, left.get(line.allowance, 0))
        if line.allowance:
            left[line.allowance] -= free
        share = 1 - free / line.quantity if line.quantity else 0
        billed.append(replace(line, usd_beyond_free_tier=line.usd * share))
    return billed


def _queue(work: Workload, prices: Prices) -> list[Line]:
    moved = work.incidents * billed_requests(work.agents, work.size)
    quantities = {
        "send": moved,
        "receive": moved,
        "delete": work.incidents * math.ceil(work.agents / 10),
        f"empty receives of {POLLERS} idle pollers": POLLERS * MONTH_HOURS * 3600 // _LONG_POLL,
    }
    price = prices.usd("sqs", "request_million") / 1_000_000
    return [
        Line("SQS", what, count, "requests", count * price, allowance="sqs_requests")
        for what, count in quantities.items()
    ]


def _function(work: Workload, usage: Recommendation, profile: Profile, prices: Prices) -> list[Line]:
    gb_seconds = work.incidents * _billed_ms(work, usage, profile) / 1000 * MEMORY_MB / 1024
    requests = prices.usd("lambda", "request_million") / 1_000_000
    return [
        Line(
            "Lambda", "invocations", work.incidents, "requests", work.incidents * requests, allowance="lambda_requests"
        ),
        Line(
            "Lambda",
            "time",
            gb_seconds,
            "GB-seconds",
            gb_seconds * prices.usd("lambda", "gb_second"),
            allowance="lambda_gb_seconds",
        ),
        # Its mapping's reads of the stream are free, and its filter passes neither new items nor what TTL removes.
        Line("Lambda", "keeper, while nobody changes an item", 0, "requests", 0.0),
    ]


def _billed_ms(work: Workload, usage: Recommendation, profile: Profile) -> float:
    """Return the billed milliseconds of one invocation, one per incident; it is cold after too long a pause."""
    is_cold = MONTH_HOURS * 60 / work.incidents > _WARM_MINUTES
    cpu_ms = usage.warm_cpu_ms * work.agents + (profile.cold_cpu_ms if is_cold else 0)
    return cpu_ms * max(1, _VCPU_MB / MEMORY_MB) + _WRITE_WAIT_MS


def _table(work: Workload, usage: Recommendation, prices: Prices) -> list[Line]:
    count = work.recommendations
    indexed = usage.compact_units if work.compact else usage.index_units
    entry = usage.compact_bytes if work.compact else usage.item_bytes
    kept = count * work.days_kept / _MONTH_DAYS
    items_gb = kept * (usage.item_bytes + _ITEM_OVERHEAD) / _GB
    indexes_gb = kept * _INDEXES * (entry + _ITEM_OVERHEAD) / _GB
    # An index query is eventually consistent: half a unit for each 4 KB of all entries together. Items of a compact
    # index are then read whole with strong consistency: a unit for each 4 KB of each item.
    reads = work.reads * math.ceil(work.agents * entry / 4096) / 2
    if work.compact:
        reads += work.reads * work.agents * math.ceil(usage.item_bytes / 4096)
    write = prices.usd("dynamodb", "write_unit_million") / 1_000_000
    read = prices.usd("dynamodb", "read_unit_million") / 1_000_000
    storage = prices.usd("dynamodb", "storage_gb_month")
    recovery = prices.usd("dynamodb", "recovery_gb_month")
    return [
        Line("DynamoDB", "writes to the table", count * usage.table_units, "units", count * usage.table_units * write),
        Line("DynamoDB", "writes to 3 indexes", count * indexed, "units", count * indexed * write),
        Line("DynamoDB", "deletes by TTL", count, "items", 0.0),
        Line("DynamoDB", "reads", reads, "units", reads * read),
        *(
            Line(
                "DynamoDB",
                f"storage of {what}, {plural(work.days_kept, 'day')}",
                gb,
                "GB",
                gb * storage,
                allowance="dynamodb_storage_gb",
            )
            for what, gb in (("items", items_gb), ("indexes", indexes_gb))
        ),
        Line("DynamoDB", "point-in-time recovery", items_gb, "GB", items_gb * recovery),
    ]


def _reviews(work: Workload, prices: Prices) -> list[Line]:
    written = work.incidents * work.reviews
    # Up to 1 KB, and written to the index too. An incident's reviews are read with strong consistency.
    units = 2 * written
    gb = 2 * written * 12 * (_REVIEW_BYTES + _ITEM_OVERHEAD) / _GB
    write = prices.usd("dynamodb", "write_unit_million") / 1_000_000
    read = prices.usd("dynamodb", "read_unit_million") / 1_000_000
    storage = prices.usd("dynamodb", "storage_gb_month")
    recovery = prices.usd("dynamodb", "recovery_gb_month")
    return [
        Line("DynamoDB", "reviews, written with their index", units, "units", units * write),
        Line("DynamoDB", "reviews, looked for at each read", work.reads, "units", work.reads * read),
        Line("DynamoDB", "reviews, a year of them stored", gb, "GB", gb * storage, allowance="dynamodb_storage_gb"),
        Line("DynamoDB", "reviews, point-in-time recovery", gb / 2, "GB", gb / 2 * recovery),
    ]


def _monitoring(work: Workload, usage: Recommendation, profile: Profile, prices: Prices) -> list[Line]:
    # A metric is billed for each hour in which it is sent; with incidents at random times, some hours have none.
    hours = MONTH_HOURS * (1 - math.exp(-work.incidents / MONTH_HOURS))
    by_incident = work.incident_metrics == "dimension"
    always = profile.metrics["fixed"] + (work.agents if work.incident_metrics == "none" else 0)  # by agent alone
    per_incident = work.recommendations * profile.metrics["incident"] / profile.agents if by_incident else 0
    metric_hour = prices.usd("cloudwatch", "metric_month") / MONTH_HOURS
    log_gb = work.incidents * (work.agents * usage.log_bytes + _REPORT_BYTES) / _GB
    kept_gb = log_gb * LOG_DAYS / _MONTH_DAYS
    prod_only = PROD_ONLY if work.stage == "prod" else 0

    def line(what: str, quantity: float, unit: str, price: float, allowance: str = "") -> Line:
        return Line("CloudWatch", what, quantity, unit, quantity * price, allowance=allowance)

    return [
        line("metrics", always * hours, "metric-hours", metric_hour, "cloudwatch_metrics"),
        line("metrics by incident, an hour each", per_incident, "metric-hours", metric_hour, "cloudwatch_metrics"),
        line(
            "alarms",
            ALARM_METRICS,
            "metrics",
            prices.usd("cloudwatch", "alarm_metric_month"),
            "cloudwatch_alarm_metrics",
        ),
        *(
            [line("composite alarm", 1, "alarms", prices.usd("cloudwatch", "composite_alarm_month"))]
            if work.pager_composite
            else []
        ),
        line(
            "dashboard", prod_only, "dashboards", prices.usd("cloudwatch", "dashboard_month"), "cloudwatch_dashboards"
        ),
        line("logs ingested", log_gb, "GB", prices.usd("cloudwatch", "log_gb"), "cloudwatch_log_gb"),
        line(
            f"logs stored {LOG_DAYS} days",
            kept_gb,
            "GB",
            prices.usd("cloudwatch", "log_archive_gb_month"),
            "cloudwatch_log_gb",
        ),
    ]


def _keys(work: Workload, prices: Prices) -> list[Line]:
    # SQS and DynamoDB reuse a data key for five minutes: producer, mapping and consumer make at most one request each.
    requests = 3 * work.incidents
    return [
        Line("KMS", "customer managed key", 1, "keys", prices.usd("kms", "key_month")),
        Line(
            "KMS",
            "requests",
            requests,
            "requests",
            requests * prices.usd("kms", "request_ten_thousand") / 10_000,
            allowance="kms_requests",
        ),
    ]
