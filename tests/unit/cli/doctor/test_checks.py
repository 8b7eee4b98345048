import json
from typing import Any

import pytest

from infra.local.deployment import load_template
from infra.paths import ROOT
from recommendation_cli.doctor.checks import DEAD_LETTER_SECONDS, INDEXES, OUTAGE_HOURS
from tests.support.fakes.deployment_answers import (
    DESCRIBED_TABLE,
    compact_indexes,
    healthy_answers,
    key_schema,
    redrive_policy,
    without_variable,
)
from tests.support.fakes.recommendation_table import TABLE
from tests.unit.cli.doctor.conftest import RunDoctor


def test_what_the_template_deploys_passes_every_check(run_doctor: RunDoctor) -> None:
    """A healthy deployment exits with 0."""
    result = run_doctor(healthy_answers(), "-o", "json")
    assert result.exit_code == 0, result.output
    assert {finding["state"] for finding in json.loads(result.stdout)} == {"passed"}


def test_compact_indexes_pass(run_doctor: RunDoctor) -> None:
    """The template's compact indexes hold everything that lists print."""
    result = run_doctor(healthy_answers(table={"GlobalSecondaryIndexes": compact_indexes()}), "-o", "json")
    assert result.exit_code == 0, result.stdout


@pytest.mark.parametrize(
    ("changed", "subject", "expected"),
    [
        ({"queue": {"RedrivePolicy": ""}}, "queue", "moves failed messages to the dead-letter queue"),
        ({"queue": {"MessageRetentionPeriod": "1209600"}}, "queue", "keeps messages for less time"),
        ({"queue": {"SqsManagedSseEnabled": "false"}}, "queue", "is encrypted"),
        ({"queue": {"Policy": '{"Statement": []}'}}, "queue", "refuses connections without TLS"),
        ({"queue": {"VisibilityTimeout": "191"}}, "queue", "has a visibility timeout of at least 192 s"),
        ({"queue": {"RedrivePolicy": redrive_policy(74)}}, "queue", "through an outage of at least 4 hours"),
        ({"dead_letters": {"MessageRetentionPeriod": "345600"}}, "dead-letter queue", "14 days"),
        ({"dead_letters": {"RedriveAllowPolicy": ""}}, "dead-letter queue", "accepts dead letters only from the queue"),
        ({"table": {"TableStatus": "UPDATING"}}, "table", "is active"),
        ({"table": {"KeySchema": key_schema("id")}}, "table", "has the key recommendationId"),
        ({"table": {"BillingModeSummary": {}}}, "table", "is billed on demand"),
        ({"table": {"SSEDescription": {}}}, "table", "is encrypted with a KMS key"),
        (
            {"table": {"GlobalSecondaryIndexes": DESCRIBED_TABLE["GlobalSecondaryIndexes"][1:]}},
            "index incidentId-timestamp-index",
            "holds whole items",
        ),
        (
            {"table": {"GlobalSecondaryIndexes": compact_indexes("metadata")}},
            "index incidentId-timestamp-index",
            "what lists print",
        ),
        ({"reviews": {"KeySchema": key_schema("incidentId")}}, "reviews table", "has the key incidentId and reviewId"),
        ({"reviews": {"GlobalSecondaryIndexes": []}}, "reviews table", "an active index of whole reviews by time"),
        ({"reviews": {"SSEDescription": {}}}, "reviews table", "is encrypted with a KMS key"),
        ({"ttl": {"TimeToLiveStatus": "DISABLED"}}, "table", "deletes items past their ttl"),
        ({"backups": {"PointInTimeRecoveryStatus": "DISABLED"}}, "table", "restored to any point"),
        ({"mapping": {"State": "Disabled"}}, "mapping", "is enabled"),
        ({"mapping": {"FunctionResponseTypes": []}}, "mapping", "reports batch item failures"),
        ({"mapping": {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}}, "mapping", "has no filters"),
        ({"mapping": {"BatchSize": 10}}, "mapping", "takes large batches"),
        ({"mapping": {"ScalingConfig": {}}}, "mapping", "limits how many consumers"),
        ({"function": {"State": "Failed"}}, "function", "is active"),
        ({"function": without_variable("RECOMMENDATIONS_TABLE")}, "function", f"has RECOMMENDATIONS_TABLE={TABLE}"),
        (
            {"function": without_variable("RECOMMENDATIONS_METRICS_NAMESPACE")},
            "function",
            "has RECOMMENDATIONS_METRICS_NAMESPACE=OPX/Recommendations",
        ),
        ({"permissions": {"sqs:SendMessage": "implicitDeny"}}, "the consumer's role", "is allowed sqs:SendMessage"),
        ({"permissions": {"dynamodb:Scan": "allowed"}}, "the consumer's role", "is denied dynamodb:Scan"),
    ],
)
def test_a_difference_fails_its_check_and_has_a_remedy(
    run_doctor: RunDoctor, changed: dict[str, Any], subject: str, expected: str
) -> None:
    """One wrong setting fails its own check, and at most one that depends on it."""
    result = run_doctor(healthy_answers(**changed), "-o", "json")
    assert result.exit_code == 1
    failed = [finding for finding in json.loads(result.stdout) if finding["state"] == "failed"]
    assert 1 <= len(failed) <= 2
    assert failed[0]["subject"] == subject
    assert expected in failed[0]["expected"]
    assert failed[0]["remedy"]


def test_the_expected_numbers_are_the_templates() -> None:
    """Neither the template nor the checks can change alone."""
    template = load_template(ROOT / "infra" / "template.yaml", {})
    parameters, resources = template["Parameters"], template["Resources"]
    retried = parameters["MaxReceiveCount"]["Default"] * parameters["VisibilityTimeout"]["Default"]
    assert retried / 3600 >= OUTAGE_HOURS
    assert resources["DeadLetterQueue"]["Properties"]["MessageRetentionPeriod"] == DEAD_LETTER_SECONDS
    indexes = [index["IndexName"] for index in resources["Table"]["Properties"]["GlobalSecondaryIndexes"]]
    assert indexes == [f"{key}-timestamp-index" for key in INDEXES]
