"""What `recs doctor` finds, over answers that botocore itself holds to AWS's description of its services."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

import botocore.session
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner, Result

from infra.local.deployment import load_template
from infra.paths import ROOT
from infra.synthesis.synthesize import synthesize
from recommendation_cli.app import recs
from recommendation_cli.doctor import checks as doctor
from tests.support.fakes.recommendation_table import TABLE, FakeDynamoDb, runtime

ARN: Final = "arn:aws:sqs:us-east-1:123456789012:opx-recommendations"
URL: Final = "https://sqs.us-east-1.amazonaws.com/123456789012/opx-recommendations"
ENVIRON: Final = {"RECOMMENDATIONS_QUEUE_URL": URL, "RECOMMENDATIONS_DLQ_URL": f"{URL}-dlq"}
TLS_ONLY: Final = json.dumps(
    {"Statement": [{"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
)
QUEUE: Final = {
    "QueueArn": ARN,
    "RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{ARN}-dlq", "maxReceiveCount": 5}),
    "MessageRetentionPeriod": "604800",
    "VisibilityTimeout": "192",
    "SqsManagedSseEnabled": "true",
    "Policy": TLS_ONLY,
}
DEAD: Final = {
    "QueueArn": f"{ARN}-dlq",
    "RedriveAllowPolicy": json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [ARN]}),
    "MessageRetentionPeriod": "1209600",
    "SqsManagedSseEnabled": "true",
    "Policy": TLS_ONLY,
}


def _keys(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]


DESCRIBED: Final[dict[str, Any]] = {
    "TableStatus": "ACTIVE",
    "TableArn": f"arn:aws:dynamodb:us-east-1:123456789012:table/{TABLE}",
    "KeySchema": _keys("recommendationId"),
    "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
    "SSEDescription": {"Status": "ENABLED"},
    "GlobalSecondaryIndexes": [
        {
            "IndexName": f"{key}-timestamp-index",
            "KeySchema": _keys(key, "timestamp"),
            "Projection": {"ProjectionType": "ALL"},
            "IndexStatus": "ACTIVE",
        }
        for key in doctor.INDEXES
    ],
}


def _compact(*left_out: str) -> list[dict[str, Any]]:
    """Return the compact indexes of the template, the first one without some of what it holds."""
    wanted = synthesize({"CompactIndexes": "true"})["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"]
    indexes = [{**index, "IndexStatus": "ACTIVE"} for index in wanted]
    projection = indexes[0]["Projection"]
    held = [name for name in projection["NonKeyAttributes"] if name not in left_out]
    return [{**indexes[0], "Projection": {**projection, "NonKeyAttributes": held}}, *indexes[1:]]


TTL: Final = {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
BACKUPS: Final = {"PointInTimeRecoveryStatus": "ENABLED"}
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
    "Environment": {"Variables": {"RECOMMENDATIONS_TABLE": TABLE, "RECOMMENDATIONS_DLQ_URL": f"{URL}-dlq"}},
}
RIGHTS: Final = (
    (("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"), "allowed"),
    (("sqs:SendMessage",), "allowed"),
    (("dynamodb:BatchWriteItem", "dynamodb:PutItem"), "allowed"),
    (("dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:DeleteItem"), "implicitDeny"),
)

Answers = list[tuple[str, str, Mapping[str, Any] | str]]  # service, call, answer or the code of an error


def _answers(**changed: Any) -> Answers:
    """Return the calls in their order with healthy answers, some of them changed."""
    answers: Answers = [
        ("sqs", "get_queue_attributes", {"Attributes": QUEUE | changed.get("queue", {})}),
        ("sqs", "get_queue_attributes", {"Attributes": DEAD | changed.get("dead", {})}),
        ("dynamodb", "describe_table", {"Table": DESCRIBED | changed.get("table", {})}),
        ("dynamodb", "describe_time_to_live", {"TimeToLiveDescription": TTL | changed.get("ttl", {})}),
        (
            "dynamodb",
            "describe_continuous_backups",
            {
                "ContinuousBackupsDescription": {
                    "ContinuousBackupsStatus": "ENABLED",
                    "PointInTimeRecoveryDescription": BACKUPS | changed.get("backups", {}),
                }
            },
        ),
        *[("dynamodb", "query", {"Items": []})] * 3,
        ("lambda", "list_event_source_mappings", {"EventSourceMappings": [MAPPING | changed.get("mapping", {})]}),
        ("lambda", "get_function_configuration", FUNCTION | changed.get("function", {})),
    ]
    for actions, decision in RIGHTS:
        results = [
            {"EvalActionName": action, "EvalDecision": changed.get("rights", {}).get(action, decision)}
            for action in actions
        ]
        answers.append(("iam", "simulate_principal_policy", {"EvaluationResults": results}))
    return answers


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, Any]]:
    """Clients of botocore that never call anybody."""
    session = botocore.session.get_session()
    made = {service: session.create_client(service) for service in ("sqs", "dynamodb", "lambda", "iam")}
    yield made
    for client in made.values():
        client.close()


def _doctor(clients: dict[str, Any], answers: Answers, *args: str, environ: dict[str, str] | None = None) -> Result:
    with ExitStack() as stubs:
        stubbed = {service: stubs.enter_context(Stubber(client)) for service, client in clients.items()}
        for service, call, answer in answers:
            if isinstance(answer, str):
                stubbed[service].add_client_error(call, service_error_code=answer)
            else:
                stubbed[service].add_response(call, dict(answer))
        world = replace(
            runtime(FakeDynamoDb(), ENVIRON if environ is None else environ),
            create_client=lambda service, _location: clients[service],
        )
        result = CliRunner().invoke(recs, ["doctor", *args], obj=world)
        for stub in stubbed.values():
            stub.assert_no_pending_responses()
        return result


def test_all_is_right(clients: dict[str, Any]) -> None:
    """What the template deploys has no finding; exit code 0."""
    result = _doctor(clients, _answers())
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("\n41 right, 0 wrong, 0 not looked at\n")
    assert "WRONG" not in result.stdout
    findings = json.loads(_doctor(clients, _answers(), "-o", "json").stdout)
    assert {finding["state"] for finding in findings} == {"right"}


def test_compact_indexes_are_right_too(clients: dict[str, Any]) -> None:
    """As the template makes them on request: lists need no more, and the rest is fetched."""
    result = _doctor(clients, _answers(table={"GlobalSecondaryIndexes": _compact()}), "-o", "json")
    assert result.exit_code == 0, result.stdout


@pytest.mark.parametrize(
    ("changed", "subject", "wanted"),
    [
        ({"queue": {"RedrivePolicy": ""}}, "queue", "sets failures aside"),
        ({"queue": {"MessageRetentionPeriod": "1209600"}}, "queue", "keeps messages for less long"),
        ({"queue": {"SqsManagedSseEnabled": "false"}}, "queue", "is encrypted"),
        ({"queue": {"Policy": '{"Statement": []}'}}, "queue", "refuses connections without TLS"),
        ({"queue": {"VisibilityTimeout": "30"}}, "queue", "hides a message for at least 192 s"),
        ({"dead": {"MessageRetentionPeriod": "345600"}}, "dead-letter queue", "14 days"),
        ({"dead": {"RedriveAllowPolicy": ""}}, "dead-letter queue", "accepts from the queue alone"),
        ({"table": {"TableStatus": "UPDATING"}}, "table", "is active"),
        ({"table": {"KeySchema": _keys("id")}}, "table", "has the key recommendationId"),
        ({"table": {"BillingModeSummary": {}}}, "table", "is billed by request"),
        ({"table": {"SSEDescription": {}}}, "table", "is encrypted with a key of KMS"),
        (
            {"table": {"GlobalSecondaryIndexes": DESCRIBED["GlobalSecondaryIndexes"][1:]}},
            "index incidentId-timestamp-index",
            "holds whole items",
        ),
        (
            {"table": {"GlobalSecondaryIndexes": _compact("metadata")}},
            "index incidentId-timestamp-index",
            "what lists print",
        ),
        ({"ttl": {"TimeToLiveStatus": "DISABLED"}}, "table", "deletes items past their ttl"),
        ({"backups": {"PointInTimeRecoveryStatus": "DISABLED"}}, "table", "restored to any point"),
        ({"mapping": {"State": "Disabled"}}, "mapping", "is enabled"),
        ({"mapping": {"FunctionResponseTypes": []}}, "mapping", "message by message"),
        ({"mapping": {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}}, "mapping", "discards nothing"),
        ({"mapping": {"BatchSize": 10}}, "mapping", "takes large batches"),
        ({"mapping": {"ScalingConfig": {}}}, "mapping", "limits how many consumers"),
        ({"function": {"State": "Failed"}}, "function", "is active"),
        ({"function": {"Environment": {}}}, "function", f"has RECOMMENDATIONS_TABLE={TABLE}"),
        ({"rights": {"sqs:SendMessage": "implicitDeny"}}, "the consumer's role", "is allowed sqs:SendMessage"),
        ({"rights": {"dynamodb:Scan": "allowed"}}, "the consumer's role", "is refused dynamodb:Scan"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(
    clients: dict[str, Any], changed: dict[str, Any], subject: str, wanted: str
) -> None:
    """And it alone, but for what hangs on it; exit code 1."""
    result = _doctor(clients, _answers(**changed), "-o", "json")
    assert result.exit_code == 1
    wrong = [finding for finding in json.loads(result.stdout) if finding["state"] == "wrong"]
    assert 1 <= len(wrong) <= 2
    assert wrong[0]["subject"] == subject
    assert wanted in wrong[0]["wanted"]
    assert wrong[0]["remedy"]


def test_the_printed_remedy_stands_below_its_finding(clients: dict[str, Any]) -> None:
    """For a person."""
    lines = _doctor(clients, _answers(mapping={"State": "Disabled"})).stdout.splitlines()
    at = lines.index("WRONG  mapping: wanted: is enabled · found: Disabled")
    assert lines[at + 1] == ("       Enable it: aws lambda update-event-source-mapping --enabled --uuid abc")
    assert lines[-1] == "40 right, 1 wrong, 0 not looked at"


def test_what_may_not_be_looked_at_is_not_called_right(clients: dict[str, Any]) -> None:
    """A reader may only query; the rest is named with the permission that it takes."""
    answers: Answers = [("sqs", "get_queue_attributes", "AccessDenied")] * 2
    answers += [
        ("dynamodb", call, "AccessDeniedException")
        for call in ("describe_table", "describe_time_to_live", "describe_continuous_backups")
    ]
    answers += [("dynamodb", "query", {"Items": []})] * 3
    result = _doctor(clients, answers)
    assert result.exit_code == 1
    assert "Use an identity that may dynamodb:DescribeTable." in result.stdout
    assert result.stdout.endswith("\n3 right, 0 wrong, 5 not looked at\n")


def test_rights_that_cannot_be_simulated_do_not_hide_the_rest(clients: dict[str, Any]) -> None:
    """Few identities may."""
    answers = [*_answers()[:-4], ("iam", "simulate_principal_policy", "AccessDenied")]
    result = _doctor(clients, answers)
    assert result.exit_code == 1
    assert result.stdout.endswith("\n31 right, 0 wrong, 1 not looked at\n")


def test_what_is_missing_is_wrong(clients: dict[str, Any]) -> None:
    """A table, a queue, a mapping."""
    answers: Answers = [
        *_answers()[:1],
        ("sqs", "get_queue_attributes", "AWS.SimpleQueueService.NonExistentQueue"),
        *[
            ("dynamodb", call, "ResourceNotFoundException")
            for call in ("describe_table", "describe_time_to_live", "describe_continuous_backups", *["query"] * 3)
        ],
        ("lambda", "list_event_source_mappings", {"EventSourceMappings": []}),
    ]
    found = json.loads(_doctor(clients, answers, "-o", "json").stdout)
    wrong = {(finding["subject"], finding["wanted"]) for finding in found if finding["state"] == "wrong"}
    assert wrong == {
        ("dead-letter queue", "is there"),
        ("table", "is there"),
        *((f"index {key}-timestamp-index", "is there") for key in doctor.INDEXES),
        ("mapping", "hands the queue to exactly one function"),
    }


def test_a_function_that_may_not_be_read_ends_its_part_only(clients: dict[str, Any]) -> None:
    """What was seen before stays."""
    answers = [*_answers()[:-5], ("lambda", "get_function_configuration", "AccessDeniedException")]
    result = _doctor(clients, answers)
    assert result.exit_code == 1
    assert "lambda:GetFunctionConfiguration" in result.stdout


def test_queues_must_be_named(clients: dict[str, Any]) -> None:
    """Wrong usage, before anything is asked."""
    result = _doctor(clients, [], environ={})
    assert result.exit_code == 2
    assert "RECOMMENDATIONS_QUEUE_URL" in result.stderr
    assert "Examples:\n    recs doctor" in _doctor(clients, [], "-h").stdout


def test_the_doctor_wants_what_the_template_says() -> None:
    """So that neither is changed alone."""
    resources = load_template(ROOT / "infra" / "template.yaml", {})["Resources"]
    assert resources["Queue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"] == doctor.MAX_RECEIVE_COUNT
    assert resources["DeadLetterQueue"]["Properties"]["MessageRetentionPeriod"] == doctor.DEAD_LETTER_SECONDS
    indexes = [index["IndexName"] for index in resources["Table"]["Properties"]["GlobalSecondaryIndexes"]]
    assert indexes == [f"{key}-timestamp-index" for key in doctor.INDEXES]
