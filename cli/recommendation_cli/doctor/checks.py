"""What the template wants of queue, table and function, held against what AWS says of them.

The numbers are those of `infra/template.yaml`; a test holds them together.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from recommendation_cli.screen.visible import visible
from recommendation_cli.search.compact_index import LISTED
from recommendation_shared.item.encoding import PARTITION_KEY

State = Literal["right", "wrong", "unknown"]
Described = Mapping[str, Any]  # as botocore returns it

MAX_RECEIVE_COUNT: Final = 5
DEAD_LETTER_SECONDS: Final = 1_209_600
INDEXES: Final = ("incidentId", "agentType", "executionId")
_VISIBILITY_FACTOR: Final = 6  # AWS's advice: times the function's timeout and the batching window
_MOST_WITHOUT_WINDOW: Final = 10  # records a batch may have without a batching window
_REDEPLOY: Final = "Deploy the stack anew (infra/template.yaml)."


class Finding(NamedTuple):
    """One thing looked at: how it should be, and unless it is right, how it is and what to do."""

    subject: str
    state: State
    wanted: str
    seen: str = ""
    remedy: str = ""


def finding(subject: str, right: object, wanted: str, seen: object, remedy: str = _REDEPLOY) -> Finding:
    """Return a finding that is right when `right` is true in Python's sense, and else wrong."""
    if right:
        return Finding(subject, "right", wanted)
    return Finding(subject, "wrong", wanted, visible(str(seen)), remedy)


def check_queue(queue: Described, dead_letter_arn: str) -> Iterator[Finding]:
    """Check the queue's attributes (GetQueueAttributes, All)."""
    redrive = _json(queue.get("RedrivePolicy"))
    target, count = redrive.get("deadLetterTargetArn"), redrive.get("maxReceiveCount")
    yield finding("queue", target == dead_letter_arn, "sets failures aside in the dead-letter queue", target)
    yield finding("queue", str(count) == str(MAX_RECEIVE_COUNT), f"tries {MAX_RECEIVE_COUNT} times", count)
    age = int(queue.get("MessageRetentionPeriod", 0))
    shorter = "keeps messages for less long than the dead-letter queue, which counts their age on"
    yield finding("queue", 0 < age < DEAD_LETTER_SECONDS, shorter, f"{age} s")
    yield from _protected("queue", queue)


def check_dead_letters(queue: Described, source_arn: str) -> Iterator[Finding]:
    """Check the dead-letter queue's attributes."""
    age = int(queue.get("MessageRetentionPeriod", 0))
    yield finding("dead-letter queue", age == DEAD_LETTER_SECONDS, "keeps messages for 14 days", f"{age} s")
    allowed = _json(queue.get("RedriveAllowPolicy"))
    yield finding(
        "dead-letter queue",
        allowed.get("redrivePermission") == "byQueue" and allowed.get("sourceQueueArns") == [source_arn],
        "accepts from the queue alone",
        allowed or "open to all",
    )
    yield from _protected("dead-letter queue", queue)


def _protected(subject: str, queue: Described) -> Iterator[Finding]:
    encrypted = queue.get("SqsManagedSseEnabled") == "true" or "KmsMasterKeyId" in queue
    yield finding(subject, encrypted, "is encrypted", "not encrypted")
    statements = _json(queue.get("Policy")).get("Statement", [])
    denied = [one for one in statements if one.get("Effect") == "Deny" and "aws:SecureTransport" in json.dumps(one)]
    yield finding(subject, denied, "refuses connections without TLS", "open to them")


def check_table(table: Described) -> Iterator[Finding]:
    """Check the table's description (DescribeTable)."""
    status = table.get("TableStatus")
    yield finding("table", status == "ACTIVE", "is active", status, "Wait until it is.")
    keys = _keys(table)
    yield finding("table", keys == {"HASH": PARTITION_KEY}, f"has the key {PARTITION_KEY}", keys)
    billing = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    yield finding("table", billing == "PAY_PER_REQUEST", "is billed by request", billing)
    sse = table.get("SSEDescription", {}).get("Status", "with DynamoDB's own key")
    yield finding("table", sse == "ENABLED", "is encrypted with a key of KMS", sse)
    indexes = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}
    for key in INDEXES:
        yield _index(f"index {key}-timestamp-index", indexes.get(f"{key}-timestamp-index"), key)


def _index(subject: str, index: Described | None, key: str) -> Finding:
    wanted = "is active, sorted by time, and holds whole items or what lists print"
    if index is None:
        return finding(subject, right=False, wanted=wanted, seen="missing")
    projection = index.get("Projection", {})
    held = {key, *projection.get("NonKeyAttributes", [])}
    suffices = projection.get("ProjectionType") == "ALL" or held >= LISTED
    sorted_right = _keys(index) == {"HASH": key, "RANGE": "timestamp"}
    right = suffices and sorted_right and index.get("IndexStatus", "ACTIVE") == "ACTIVE"
    return finding(subject, right, wanted, (_keys(index), projection, index.get("IndexStatus")))


def _keys(described: Described) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in described.get("KeySchema", [])}


def check_expiry(answer: Described) -> Finding:
    """Check the time to live (DescribeTimeToLive)."""
    ttl = answer.get("TimeToLiveDescription", {})
    seen = ttl.get("TimeToLiveStatus"), ttl.get("AttributeName")
    return finding("table", seen == ("ENABLED", "ttl"), "deletes items past their ttl", f"{seen[0]} on {seen[1]}")


def check_backups(answer: Described) -> Finding:
    """Check point-in-time recovery (DescribeContinuousBackups)."""
    recovery = answer.get("ContinuousBackupsDescription", {}).get("PointInTimeRecoveryDescription", {})
    seen = recovery.get("PointInTimeRecoveryStatus")
    return finding("table", seen == "ENABLED", "can be restored to any point in time", seen)


def check_mapping(mapping: Described, function: Described, queue: Described) -> Iterator[Finding]:
    """Check what hands the queue's messages to the function, and whether all three fit together."""
    state = mapping.get("State")
    enable = f"aws lambda update-event-source-mapping --enabled --uuid {mapping.get('UUID')}"
    yield finding("mapping", state in ("Enabled", "Enabling"), "is enabled", state, f"Enable it: {enable}")
    types = mapping.get("FunctionResponseTypes", [])
    yield finding("mapping", "ReportBatchItemFailures" in types, "reports failures message by message", types)
    filters = mapping.get("FilterCriteria", {}).get("Filters", [])
    yield finding("mapping", not filters, "discards nothing: it has no filters", f"{len(filters)} of them")
    size, window = mapping.get("BatchSize", 0), mapping.get("MaximumBatchingWindowInSeconds", 0)
    yield finding(
        "mapping", size > _MOST_WITHOUT_WINDOW and window >= 1, "takes large batches", f"{size} in {window} s"
    )
    most = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
    yield finding("mapping", most, "limits how many consumers run at once", most)
    needed = _VISIBILITY_FACTOR * (function.get("Timeout", 0) + window)
    hidden = int(queue.get("VisibilityTimeout", 0))
    wanted = f"hides a message for at least {needed} s while the function works on it"
    yield finding("queue", hidden >= needed, wanted, f"{hidden} s", "Deploy with a VisibilityTimeout of that.")


def check_function(function: Described, table: str, dead_letter_url: str) -> Iterator[Finding]:
    """Check the function's configuration (GetFunctionConfiguration)."""
    state = function.get("State", "Active")
    yield finding("function", state == "Active", "is active", f"{state}: {function.get('StateReason', '')}")
    environment = function.get("Environment", {}).get("Variables", {})
    for name, wanted in (("RECOMMENDATIONS_TABLE", table), ("RECOMMENDATIONS_DLQ_URL", dead_letter_url)):
        yield finding("function", environment.get(name) == wanted, f"has {name}={wanted}", environment.get(name))


def _json(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
