"""The template delivers what the architecture promises. cfn-lint checks that it is valid; these, that it is right.

Most tests read it as deployed with the default parameters. Permissions are tested in test_policies.py.
"""

from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # cfn-lint ships no types

from infra.local import canary
from infra.paths import ROOT
from infra.paths import TEMPLATE as PATH
from infra.synthesis.parameters import page
from infra.synthesis.synthesize import synthesize
from infra.template import load
from recommendation_cli.reviews.review import INCIDENT, KIND, REVIEW_ID
from recommendation_cli.reviews.store import INDEX
from recommendation_shared.settings import VARIABLES

pytestmark = pytest.mark.one_python

TEMPLATE = load()
PARAMETERS: dict[str, dict[str, Any]] = TEMPLATE["Parameters"]
DEPLOYED: dict[str, dict[str, Any]] = synthesize()["Resources"]


def properties(name: str) -> dict[str, Any]:
    """Return a resource's properties."""
    result: dict[str, Any] = DEPLOYED[name]["Properties"]
    return result


def of_type(kind: str) -> list[str]:
    """Return the names of the resources of one type."""
    return [name for name, resource in DEPLOYED.items() if resource["Type"] == kind]


def test_nothing_is_coupled_to_the_incident_tables() -> None:
    """Recommendations are advisory: no name, permission or trigger refers to an incident table."""
    assert "opx-incident" not in PATH.read_text()


def test_visibility_timeout_covers_six_invocations() -> None:
    """CloudFormation cannot multiply, so the template has the number and this test checks it."""
    window = properties("ConsumerQueue")["MaximumBatchingWindowInSeconds"]
    assert properties("Queue")["VisibilityTimeout"] == 6 * (properties("Consumer")["Timeout"] + window)


def test_canary_of_the_local_stack_outlasts_an_invocation() -> None:
    """Otherwise a slow invocation would store it after it was deleted."""
    assert int(canary.VISIBILITY_TIMEOUT) > properties("Consumer")["Timeout"]


def test_event_source_reports_partial_failures() -> None:
    """Without the response type, one failed record would retry its whole batch."""
    mapping = properties("ConsumerQueue")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["MaximumBatchingWindowInSeconds"] >= 1  # required by AWS for batches of more than ten
    assert "FilterCriteria" not in mapping  # it would silently discard whatever does not match


def test_queue_invokes_the_alias_of_the_latest_version() -> None:
    """A bad version is rolled back by moving the alias, and SnapStart needs versions."""
    assert properties("ConsumerQueue")["FunctionName"].endswith(":opx-recommendations-consumer:live")
    assert properties("ConsumerAliaslive")["FunctionVersion"] == "1"


def test_every_change_of_the_function_publishes_a_version() -> None:
    """Otherwise the alias would keep the old configuration, and a deployment would seem to have no effect."""
    changes: dict[str, str] = {"MemorySize": "2048", "Architecture": "x86_64"}
    for name, parameter in PARAMETERS.items():
        others = [value for value in parameter.get("AllowedValues", ()) if value not in (parameter["Default"], "prod")]
        changes |= {name: str(others[0])} if others else {}
    stream = "arn:aws:dynamodb:us-east-1:123456789012:table/restored/stream/1"
    changes["RestoredTableName"] = "restored"
    effective = set()
    for name, value in changes.items():
        companion = {"RestoredTableStreamArn": stream} if name == "RestoredTableName" else {}
        deployed = synthesize({name: value, **companion})["Resources"]
        if {**deployed["Consumer"]["Properties"], "Tags": []} != {**properties("Consumer"), "Tags": []}:
            effective.add(name)
            # A version's description cannot be changed, so CloudFormation replaces the version.
            (version,) = (each for each in deployed.values() if each["Type"] == "AWS::Lambda::Version")
            assert version["Properties"] != properties(*of_type("AWS::Lambda::Version")), name
    assert effective == {
        *("Architecture", "MemorySize", "SnapStart", "LogLevel", "IncidentMetrics"),
        "RestoredTableName",
    }
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", "AWS::Lambda::Version").schema
    assert "/properties/Description" in schema["createOnlyProperties"]


def test_function_runs_what_is_built() -> None:
    """Runtime, handler and architecture match the zip."""
    function = properties("Consumer")
    assert (function["Runtime"], function["Handler"]) == ("python3.13", "recommendation_consumer.handler.handler")
    assert function["Architectures"] == ["arm64"]
    code = TEMPLATE["Resources"]["Consumer"]["Properties"]["CodeUri"]
    assert (PATH.parent / code).resolve() == ROOT / "build" / "consumer.zip"


def test_function_has_the_settings_that_it_reads() -> None:
    """Its environment has every variable that the settings know, and no unknown one."""
    variables = properties("Consumer")["Environment"]["Variables"]
    ours = {name for name in variables if not name.startswith(("POWERTOOLS_", "PYDANTIC_"))}
    # The producer's two, Lambda's own, the keeper's, and that of recs.
    others = {"RECOMMENDATIONS_QUEUE_URL", "RETENTION_DAYS", "AWS_REGION", "RECOMMENDATIONS_ARCHIVE_BUCKET"}
    assert ours == VARIABLES - others - {"RECOMMENDATIONS_REVIEWS_TABLE"}


def test_queue_redrives_after_twelve_hours_of_receives_to_its_own_dead_letter_queue() -> None:
    """So an outage overnight heals itself. Only the queue may use the dead-letter queue, whose retention is longer."""
    queue = "arn:aws:sqs:us-east-1:123456789012:opx-recommendations"
    assert properties("Queue")["RedrivePolicy"] == {"deadLetterTargetArn": f"{queue}-dlq", "maxReceiveCount": 225}
    assert 225 * properties("Queue")["VisibilityTimeout"] == 12 * 3600
    allow = properties("DeadLetterQueue")["RedriveAllowPolicy"]
    assert allow == {"redrivePermission": "byQueue", "sourceQueueArns": [queue]}
    fourteen_days = 14 * 24 * 3600
    assert properties("DeadLetterQueue")["MessageRetentionPeriod"] == fourteen_days
    assert properties("Queue")["MessageRetentionPeriod"] < fourteen_days


def test_each_queue_has_its_own_policy() -> None:
    """The policies' content is tested in test_policies_of_resources.py."""
    covered = {url for policy in of_type("AWS::SQS::QueuePolicy") for url in properties(policy)["Queues"]}
    queue = "https://sqs.us-east-1.amazonaws.com/123456789012/opx-recommendations"
    assert covered == {queue, f"{queue}-dlq", f"{queue}-keeper-failures"}


def test_table_has_its_three_indexes() -> None:
    """Each is sorted by time and holds whole items."""
    indexes = properties("Table")["GlobalSecondaryIndexes"]
    keys = {
        index["IndexName"]: [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]] for index in indexes
    }
    assert keys == {
        f"{attribute}-timestamp-index": [(attribute, "HASH"), ("timestamp", "RANGE")]
        for attribute in ("incidentId", "agentType", "executionId")
    }
    assert all(index["Projection"] == {"ProjectionType": "ALL"} for index in indexes)


@pytest.mark.parametrize("name", ["Table", "ReviewsTable"])
def test_each_table_outlives_its_stack(name: str) -> None:
    """It expires items, is encrypted and can be restored, and no operation on a created stack deletes it."""
    table = properties(name)
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert DEPLOYED[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert DEPLOYED[name]["UpdateReplacePolicy"] == "Retain"


def test_reviews_are_found_by_incident_and_by_time() -> None:
    """The table and its index have the keys that recs uses, and the index holds whole reviews."""
    table = properties("ReviewsTable")
    assert [key["AttributeName"] for key in table["KeySchema"]] == [INCIDENT, REVIEW_ID]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == INDEX
    assert [key["AttributeName"] for key in index["KeySchema"]] == [KIND, REVIEW_ID]
    assert index["Projection"] == {"ProjectionType": "ALL"}


def test_parameters_explain_themselves() -> None:
    """Each has a description, a default, a constraint, and a place in the console's form."""
    constraints = {"AllowedValues", "AllowedPattern", "MinValue"}
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)
    for name, parameter in PARAMETERS.items():
        assert parameter["Description"].endswith("."), name
        assert "Default" in parameter, name
        assert constraints & parameter.keys(), name


def test_parameters_page_is_generated_from_the_template() -> None:
    """Otherwise it would describe another stack."""
    assert (ROOT / "docs" / "parameters.md").read_text() == page()


def test_outputs_explain_themselves() -> None:
    """The executor's own stack can import what it needs."""
    outputs = TEMPLATE["Outputs"]
    assert all(output["Description"] for output in outputs.values())
    exported = {name for name, output in outputs.items() if "Export" in output}
    assert exported == {"QueueUrl", "QueueArn", "ExecutorPolicyArn"}
