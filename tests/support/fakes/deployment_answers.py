"""What AWS answers to `recs doctor` about a deployment that matches the template."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from infra.synthesis.synthesize import synthesize
from recommendation_cli.doctor.alarms import ALARMS
from recommendation_cli.doctor.checks import INDEXES
from tests.support.fakes.recommendation_table import TABLE

Answers = list[tuple[str, str, Mapping[str, Any] | str]]
"""Service, method, and the answer or the code of an error."""

ARN: Final = "arn:aws:sqs:us-east-1:123456789012:opx-recommendations"
URL: Final = "https://sqs.us-east-1.amazonaws.com/123456789012/opx-recommendations"
ENVIRON: Final = {"RECOMMENDATIONS_QUEUE_URL": URL, "RECOMMENDATIONS_DLQ_URL": f"{URL}-dlq"}
TLS_ONLY: Final = json.dumps(
    {"Statement": [{"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
)


def redrive_policy(max_receive_count: int) -> str:
    """Return the queue's redrive policy with this number of receives."""
    return json.dumps({"deadLetterTargetArn": f"{ARN}-dlq", "maxReceiveCount": max_receive_count})


QUEUE: Final = {
    "QueueArn": ARN,
    "RedrivePolicy": redrive_policy(225),
    "MessageRetentionPeriod": "604800",
    "VisibilityTimeout": "192",
    "SqsManagedSseEnabled": "true",
    "Policy": TLS_ONLY,
}
DEAD_LETTER_QUEUE: Final = {
    "QueueArn": f"{ARN}-dlq",
    "RedriveAllowPolicy": json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [ARN]}),
    "MessageRetentionPeriod": "1209600",
    "SqsManagedSseEnabled": "true",
    "Policy": TLS_ONLY,
}


def key_schema(*names: str) -> list[dict[str, str]]:
    """Return a KeySchema with these keys."""
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]


DESCRIBED_TABLE: Final[dict[str, Any]] = {
    "TableStatus": "ACTIVE",
    "TableArn": f"arn:aws:dynamodb:us-east-1:123456789012:table/{TABLE}",
    "KeySchema": key_schema("recommendationId"),
    "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
    "SSEDescription": {"Status": "ENABLED"},
    "GlobalSecondaryIndexes": [
        {
            "IndexName": f"{key}-timestamp-index",
            "KeySchema": key_schema(key, "timestamp"),
            "Projection": {"ProjectionType": "ALL"},
            "IndexStatus": "ACTIVE",
        }
        for key in INDEXES
    ],
}
DESCRIBED_REVIEWS: Final[dict[str, Any]] = {
    **DESCRIBED_TABLE,
    "KeySchema": key_schema("incidentId", "reviewId"),
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "kind-reviewId-index",
            "KeySchema": key_schema("kind", "reviewId"),
            "Projection": {"ProjectionType": "ALL"},
            "IndexStatus": "ACTIVE",
        }
    ],
}
TTL: Final[dict[str, Any]] = {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
BACKUPS: Final[dict[str, Any]] = {"PointInTimeRecoveryStatus": "ENABLED"}
MAPPING: Final[dict[str, Any]] = {
    "UUID": "abc",
    "State": "Enabled",
    "FunctionArn": "consumer",
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "BatchSize": 1000,
    "MaximumBatchingWindowInSeconds": 2,
    "ScalingConfig": {"MaximumConcurrency": 10},
}
FUNCTION: Final[dict[str, Any]] = {
    "State": "Active",
    "Timeout": 30,
    "Role": "arn:aws:iam::123456789012:role/consumer-role",
    "Environment": {
        "Variables": {
            "RECOMMENDATIONS_TABLE": TABLE,
            "RECOMMENDATIONS_DLQ_URL": f"{URL}-dlq",
            "RECOMMENDATIONS_METRICS_NAMESPACE": "OPX/Recommendations",
        }
    },
}
PERMISSIONS: Final = (
    (("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"), "allowed"),
    (("sqs:SendMessage",), "allowed"),
    (("dynamodb:BatchWriteItem", "dynamodb:PutItem"), "allowed"),
    (("dynamodb:Query",), "allowed"),  # of the index with the marks
    (("dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:DeleteItem"), "implicitDeny"),
)


def without_variable(name: str) -> dict[str, Any]:
    """Return the part of the function's description that lacks this environment variable."""
    variables = FUNCTION["Environment"]["Variables"]
    return {"Environment": {"Variables": {other: value for other, value in variables.items() if other != name}}}


def compact_indexes(*omitted: str) -> list[dict[str, Any]]:
    """Return the template's compact indexes, the first one without the omitted attributes."""
    indexes = synthesize({"CompactIndexes": "true"})["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"]
    first, *others = [{**index, "IndexStatus": "ACTIVE"} for index in indexes]
    projection = first["Projection"]
    attributes = [name for name in projection["NonKeyAttributes"] if name not in omitted]
    return [{**first, "Projection": {**projection, "NonKeyAttributes": attributes}}, *others]


def described_alarms(changed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the template's alarms, each OK and with a topic to notify; `changed` overrides fields of the first."""
    healthy = {
        "ActionsEnabled": True,
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:opx-recommendations-alarms"],
        "StateValue": "OK",
        "StateUpdatedTimestamp": datetime(2026, 1, 31, 12, tzinfo=UTC),
    }
    first, *others = [{"AlarmName": name, **healthy} for name in ALARMS]
    return [{**first, **changed}, *others]


def _protection(ttl: Mapping[str, Any], backups: Mapping[str, Any]) -> Answers:
    """Return the answers about a table's time to live and its backups."""
    recovery = {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": {**BACKUPS, **backups}}
    return [
        ("dynamodb", "describe_time_to_live", {"TimeToLiveDescription": {**TTL, **ttl}}),
        ("dynamodb", "describe_continuous_backups", {"ContinuousBackupsDescription": recovery}),
    ]


def healthy_answers(**changed: Any) -> Answers:
    """Return the answers in the order of the calls; `changed` overrides fields of some of them."""
    answers: Answers = [
        ("sqs", "get_queue_attributes", {"Attributes": QUEUE | changed.get("queue", {})}),
        ("sqs", "get_queue_attributes", {"Attributes": DEAD_LETTER_QUEUE | changed.get("dead_letters", {})}),
        ("dynamodb", "describe_table", {"Table": DESCRIBED_TABLE | changed.get("table", {})}),
        *_protection(changed.get("ttl", {}), changed.get("backups", {})),
        *[("dynamodb", "query", {"Items": []})] * 3,
        ("dynamodb", "describe_table", {"Table": DESCRIBED_REVIEWS | changed.get("reviews", {})}),
        *_protection({}, {}),
        ("dynamodb", "query", {"Items": []}),
        ("cloudwatch", "describe_alarms", {"MetricAlarms": described_alarms(changed.get("alarms", {}))}),
        ("lambda", "list_event_source_mappings", {"EventSourceMappings": [MAPPING | changed.get("mapping", {})]}),
        ("lambda", "get_function_configuration", FUNCTION | changed.get("function", {})),
    ]
    for actions, decision in PERMISSIONS:
        results = [
            {"EvalActionName": action, "EvalDecision": changed.get("permissions", {}).get(action, decision)}
            for action in actions
        ]
        answers.append(("iam", "simulate_principal_policy", {"EvaluationResults": results}))
    return answers
