import json

from recommendation_cli.doctor.checks import INDEXES
from tests.support.fakes.deployment_answers import Answers, healthy_answers
from tests.unit.cli.doctor.conftest import RunDoctor


def test_refused_calls_are_skipped_checks_not_passed_ones(run_doctor: RunDoctor) -> None:
    """An identity that may only query sees which permission each skipped check needs."""
    answers: Answers = [("sqs", "get_queue_attributes", "AccessDenied")] * 2
    refused: Answers = [
        ("dynamodb", method, "AccessDeniedException")
        for method in ("describe_table", "describe_time_to_live", "describe_continuous_backups")
    ]
    answers += [*refused, *[("dynamodb", "query", {"Items": []})] * 3]
    answers += [*refused, ("dynamodb", "query", {"Items": []})]
    answers += [("cloudwatch", "describe_alarms", "AccessDenied")]
    result = run_doctor(answers)
    assert result.exit_code == 1
    assert "?       queue: you are not allowed to look (AccessDenied)" in result.stdout
    assert "Use an identity with dynamodb:DescribeTable." in result.stdout
    assert "alarms: you are not allowed to look (AccessDenied)" in result.stdout
    assert "Use an identity with cloudwatch:DescribeAlarms." in result.stdout
    assert result.stdout.endswith("\n4 passed, 0 failed, 9 skipped\n")


def test_any_other_refusal_is_named(run_doctor: RunDoctor) -> None:
    """Throttling is not mistaken for a missing permission."""
    answers = [*healthy_answers()[:-5], ("iam", "simulate_principal_policy", "Throttling")]
    assert "the consumer's role: the call failed (Throttling)" in run_doctor(answers).stdout


def test_permissions_that_cannot_be_simulated_do_not_hide_other_checks(run_doctor: RunDoctor) -> None:
    """Few identities may call SimulatePrincipalPolicy."""
    answers = [*healthy_answers()[:-5], ("iam", "simulate_principal_policy", "AccessDenied")]
    result = run_doctor(answers)
    assert result.exit_code == 1
    assert result.stdout.endswith("\n44 passed, 0 failed, 1 skipped\n")


def test_missing_resources_fail(run_doctor: RunDoctor) -> None:
    """A missing queue, table, index or mapping is a failed check, not a skipped one."""
    answers: Answers = [
        *healthy_answers()[:1],
        ("sqs", "get_queue_attributes", "AWS.SimpleQueueService.NonExistentQueue"),
        ("dynamodb", "describe_table", "ResourceNotFoundException"),
        ("dynamodb", "describe_time_to_live", "ResourceNotFoundException"),
        ("dynamodb", "describe_continuous_backups", "TableNotFoundException"),
        *[("dynamodb", "query", "ResourceNotFoundException")] * 3,
        ("dynamodb", "describe_table", "ResourceNotFoundException"),
        ("dynamodb", "describe_time_to_live", "ResourceNotFoundException"),
        ("dynamodb", "describe_continuous_backups", "TableNotFoundException"),
        ("dynamodb", "query", "ResourceNotFoundException"),
        ("lambda", "list_event_source_mappings", {"EventSourceMappings": []}),
        ("cloudwatch", "describe_alarms", {"MetricAlarms": []}),
    ]
    findings = json.loads(run_doctor(answers, "-o", "json").stdout)
    assert {(finding["subject"], finding["expected"]) for finding in findings if finding["state"] == "failed"} == {
        ("dead-letter queue", "exists"),
        ("table", "exists"),
        ("reviews table", "exists"),
        *((f"index {key}-timestamp-index", "exists") for key in INDEXES),
        ("mapping", "connects the queue to exactly one function"),
        ("alarms", "all 12 exist"),
    }
    missing = [finding for finding in findings if finding["subject"] in ("table", "reviews table")]
    assert [finding["remedy"] for finding in missing] == [
        "Check --table, the URLs and --region, or deploy it.",
        "Check --reviews-table and --region, or deploy it.",
    ]


def test_a_function_that_cannot_be_read_skips_only_its_checks(run_doctor: RunDoctor) -> None:
    """Findings from earlier calls are still printed."""
    answers = [*healthy_answers()[:-6], ("lambda", "get_function_configuration", "AccessDeniedException")]
    result = run_doctor(answers)
    assert result.exit_code == 1
    assert "lambda:GetFunctionConfiguration" in result.stdout
    assert "ok      table: is active" in result.stdout
