"""Checks of the queues, the table and the function, as AWS describes them, against `infra/template.yaml`.

A test compares the numbers below with the template.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from recommendation_cli.reviews.review import INCIDENT, KIND, REVIEW_ID
from recommendation_cli.reviews.store import INDEX as REVIEWS_INDEX
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.compact_index import LISTED
from recommendation_shared.item.encoding import PARTITION_KEY
from recommendation_shared.metrics import namespace_of
from recommendation_shared.wording import plural

Result = Literal["passed", "failed", "skipped"]
Described = Mapping[str, Any]  # as botocore returns it

OUTAGE_HOURS: Final = 4  # the template keeps retrying for 12
DEAD_LETTER_SECONDS: Final = 1_209_600
INDEXES: Final = ("incidentId", "agentType", "executionId")
REVIEWS: Final = "reviews table"
_VISIBILITY_FACTOR: Final = 6  # AWS's advice: times the sum of the function's timeout and the batching window
_MOST_WITHOUT_WINDOW: Final = 10  # records in a batch without a batching window
_REDEPLOY: Final = "Deploy the stack again (infra/template.yaml)."


class Finding(NamedTuple):
    """The result of one check: what is expected and, unless it passed, the actual state and what to do."""

    subject: str
    state: Result
    expected: str
    actual: str = ""
    remedy: str = ""


def finding(subject: str, ok: object, expected: str, actual: object, remedy: str = _REDEPLOY) -> Finding:
    """Return a finding that passed if `ok` is truthy, and failed otherwise."""
    if ok:
        return Finding(subject, "passed", expected)
    return Finding(subject, "failed", expected, visible(str(actual)), remedy)


def check_queue(queue: Described, dead_letter_arn: str) -> Iterator[Finding]:
    """Check the queue's attributes (GetQueueAttributes, All)."""
    redrive = _json(queue.get("RedrivePolicy"))
    target, count = redrive.get("deadLetterTargetArn"), redrive.get("maxReceiveCount")
    yield finding("queue", target == dead_letter_arn, "moves failed messages to the dead-letter queue", target)
    apart = int(queue.get("VisibilityTimeout", 0))
    yield finding(
        "queue",
        int(count or 0) * apart >= OUTAGE_HOURS * 3600,
        f"retries messages through an outage of at least {OUTAGE_HOURS} hours",
        f"{count} receives, {apart} s apart",
        "Deploy with a higher MaxReceiveCount.",
    )
    age = int(queue.get("MessageRetentionPeriod", 0))
    # A message keeps its age when SQS moves it.
    shorter = "keeps messages for less time than the dead-letter queue"
    yield finding("queue", 0 < age < DEAD_LETTER_SECONDS, shorter, f"{age} s")
    yield from _check_protection("queue", queue)


def check_dead_letters(queue: Described, source_arn: str) -> Iterator[Finding]:
    """Check the dead-letter queue's attributes."""
    age = int(queue.get("MessageRetentionPeriod", 0))
    yield finding("dead-letter queue", age == DEAD_LETTER_SECONDS, "keeps messages for 14 days", f"{age} s")
    allowed = _json(queue.get("RedriveAllowPolicy"))
    yield finding(
        "dead-letter queue",
        allowed.get("redrivePermission") == "byQueue" and allowed.get("sourceQueueArns") == [source_arn],
        "accepts dead letters only from the queue",
        allowed or "accepts them from any queue",
    )
    yield from _check_protection("dead-letter queue", queue)


def _check_protection(subject: str, queue: Described) -> Iterator[Finding]:
    encrypted = queue.get("SqsManagedSseEnabled") == "true" or "KmsMasterKeyId" in queue
    yield finding(subject, encrypted, "is encrypted", "not encrypted")
    statements = _json(queue.get("Policy")).get("Statement", [])
    denials = [
        statement
        for statement in statements
        if statement.get("Effect") == "Deny" and "aws:SecureTransport" in json.dumps(statement)
    ]
    yield finding(subject, denials, "refuses connections without TLS", "accepts them")


def check_table(table: Described) -> Iterator[Finding]:
    """Check the table's description (DescribeTable)."""
    yield from _check_any_table("table", table, {"HASH": PARTITION_KEY})
    indexes = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}
    for key in INDEXES:
        yield _check_index(f"index {key}-timestamp-index", indexes.get(f"{key}-timestamp-index"), key)


def check_reviews_table(table: Described) -> Iterator[Finding]:
    """Check the description of the table of reviews."""
    yield from _check_any_table(REVIEWS, table, {"HASH": INCIDENT, "RANGE": REVIEW_ID})
    found = [index for index in table.get("GlobalSecondaryIndexes", []) if index["IndexName"] == REVIEWS_INDEX]
    expected = "has an active index of whole reviews by time"
    ok = [
        index
        for index in found
        if _keys(index) == {"HASH": KIND, "RANGE": REVIEW_ID}
        and index.get("Projection", {}).get("ProjectionType") == "ALL"
        and index.get("IndexStatus", "ACTIVE") == "ACTIVE"
    ]
    yield finding(REVIEWS, ok, expected, found or "missing")


def _check_any_table(subject: str, table: Described, keys: Mapping[str, str]) -> Iterator[Finding]:
    status = table.get("TableStatus")
    yield finding(subject, status == "ACTIVE", "is active", status, "Wait until it is.")
    actual = _keys(table)
    yield finding(subject, actual == keys, f"has the key {' and '.join(keys.values())}", actual)
    billing = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    yield finding(subject, billing == "PAY_PER_REQUEST", "is billed on demand", billing)
    sse = table.get("SSEDescription", {}).get("Status", "with a key that DynamoDB owns")
    yield finding(subject, sse == "ENABLED", "is encrypted with a KMS key", sse)


def _check_index(subject: str, index: Described | None, key: str) -> Finding:
    expected = "is active, sorted by time, and holds whole items or at least what lists print"
    if index is None:
        return finding(subject, ok=False, expected=expected, actual="missing")
    projection = index.get("Projection", {})
    projected = {key, *projection.get("NonKeyAttributes", [])}
    suffices = projection.get("ProjectionType") == "ALL" or projected >= LISTED
    is_sorted = _keys(index) == {"HASH": key, "RANGE": "timestamp"}
    ok = suffices and is_sorted and index.get("IndexStatus", "ACTIVE") == "ACTIVE"
    return finding(subject, ok, expected, (_keys(index), projection, index.get("IndexStatus")))


def _keys(described: Described) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in described.get("KeySchema", [])}


def check_expiry(subject: str, answer: Described) -> Finding:
    """Check a table's time to live (DescribeTimeToLive)."""
    ttl = answer.get("TimeToLiveDescription", {})
    status, attribute = ttl.get("TimeToLiveStatus"), ttl.get("AttributeName")
    actual = f"{status} on {attribute}" if attribute else status
    return finding(subject, (status, attribute) == ("ENABLED", "ttl"), "deletes items past their ttl", actual)


def check_backups(subject: str, answer: Described) -> Finding:
    """Check a table's point-in-time recovery (DescribeContinuousBackups)."""
    recovery = answer.get("ContinuousBackupsDescription", {}).get("PointInTimeRecoveryDescription", {})
    status = recovery.get("PointInTimeRecoveryStatus")
    return finding(subject, status == "ENABLED", "can be restored to any point in time", status)


def check_mapping(mapping: Described, function: Described, queue: Described) -> Iterator[Finding]:
    """Check the event source mapping, and whether queue, mapping and function fit together."""
    state = mapping.get("State")
    enable = f"aws lambda update-event-source-mapping --enabled --uuid {mapping.get('UUID')}"
    yield finding("mapping", state in ("Enabled", "Enabling"), "is enabled", state, f"Enable it: {enable}")
    types = mapping.get("FunctionResponseTypes", [])
    yield finding("mapping", "ReportBatchItemFailures" in types, "reports batch item failures", types)
    filters = mapping.get("FilterCriteria", {}).get("Filters", [])
    yield finding(
        "mapping", not filters, "has no filters, which would discard messages", plural(len(filters), "filter")
    )
    size, window = mapping.get("BatchSize", 0), mapping.get("MaximumBatchingWindowInSeconds", 0)
    yield finding(
        "mapping",
        size > _MOST_WITHOUT_WINDOW and window >= 1,
        "takes large batches",
        f"{plural(size, 'message')}, window of {window} s",
    )
    most = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
    yield finding("mapping", most, "limits how many consumers run at once", most)
    needed = _VISIBILITY_FACTOR * (function.get("Timeout", 0) + window)
    timeout = int(queue.get("VisibilityTimeout", 0))
    expected = f"has a visibility timeout of at least {needed} s"
    yield finding("queue", timeout >= needed, expected, f"{timeout} s", "Deploy with that VisibilityTimeout.")


def check_function(function: Described, table: str, queue_url: str, dead_letter_url: str) -> Iterator[Finding]:
    """Check the function's configuration (GetFunctionConfiguration)."""
    state = function.get("State", "Active")
    yield finding("function", state == "Active", "is active", f"{state}: {function.get('StateReason', '')}")
    environment = function.get("Environment", {}).get("Variables", {})
    for name, value in (
        ("RECOMMENDATIONS_TABLE", table),
        ("RECOMMENDATIONS_DLQ_URL", dead_letter_url),
        ("RECOMMENDATIONS_METRICS_NAMESPACE", namespace_of(queue_url)),
    ):
        yield finding("function", environment.get(name) == value, f"has {name}={value}", environment.get(name))


def _json(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
