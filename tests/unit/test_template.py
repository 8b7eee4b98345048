"""The template keeps what the architecture promises. cfn-lint checks that it is valid; these, that it is right."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.build import ROOT
from infra.local.deployment import load_template
from shared import metrics
from shared.settings import VARIABLES

PATH = ROOT / "infra" / "template.yaml"
TEMPLATE = load_template(PATH, {})
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
PARAMETERS: dict[str, dict[str, Any]] = TEMPLATE["Parameters"]


def properties(name: str) -> dict[str, Any]:
    """Return a resource's properties."""
    result: dict[str, Any] = RESOURCES[name]["Properties"]
    return result


def of_type(kind: str) -> list[str]:
    """Return the names of the resources of one type."""
    return [name for name, resource in RESOURCES.items() if resource["Type"] == kind]


def statements(identity: str) -> Iterator[dict[str, Any]]:
    """Yield what a role or a managed policy allows, without what only a parameter adds."""
    found = properties(identity)
    documents = [policy["PolicyDocument"] for policy in found.get("Policies", [])] or [found["PolicyDocument"]]
    for document in documents:
        yield from (statement for statement in document["Statement"] if "Fn::If" not in statement)


def granted(identity: str) -> dict[str, set[str]]:
    """Return the actions that an identity has, by resource."""
    result: dict[str, set[str]] = {}
    for statement in statements(identity):
        actions, resources = statement["Action"], statement["Resource"]
        for resource in resources if isinstance(resources, list) else [resources]:
            name = resource.get("Fn::Sub") or ".".join(resource["Fn::GetAtt"])
            result.setdefault(name, set()).update([actions] if isinstance(actions, str) else actions)
    return result


def test_executor_may_only_send() -> None:
    """The executor has no other right, on the table least of all."""
    assert granted("ExecutorPolicy") == {"Queue.Arn": {"sqs:SendMessage"}}


def test_consumer_writes_the_table_and_cannot_read_it() -> None:
    """Each right of the consumer, and no other."""
    assert granted("ConsumerRole") == {
        "Queue.Arn": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        "DeadLetterQueue.Arn": {"sqs:SendMessage"},
        "Table.Arn": {"dynamodb:BatchWriteItem", "dynamodb:PutItem"},
        "ConsumerLogGroup.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
    }


def test_reader_reads_the_table_and_its_indexes() -> None:
    """A reader writes nothing, and scans only where the parameter allows it."""
    read = {"dynamodb:GetItem", "dynamodb:Query"}
    indexes = {f"${{Table.Arn}}/index/{index['IndexName']}": read for index in indexes_of_table()}
    assert granted("ReaderRole") == {"Table.Arn": read, **indexes}
    (conditional,) = [
        statement["Fn::If"]
        for statement in properties("ReaderRole")["Policies"][0]["PolicyDocument"]["Statement"]
        if "Fn::If" in statement
    ]
    assert (conditional[0], conditional[1]["Action"]) == ("ReaderScans", "dynamodb:Scan")
    assert PARAMETERS["ReaderMayScan"]["Default"] == "false"


def test_redrive_role_cannot_touch_the_table() -> None:
    """It takes dead letters and sends them back, and that is all."""
    rights = granted("RedriveRole")
    assert set(rights) == {"DeadLetterQueue.Arn", "Queue.Arn"}
    assert rights["Queue.Arn"] == {"sqs:SendMessage", "sqs:GetQueueAttributes"}
    assert {"sqs:StartMessageMoveTask", "sqs:ReceiveMessage", "sqs:DeleteMessage"} <= rights["DeadLetterQueue.Arn"]


@pytest.mark.parametrize("identity", ["ExecutorPolicy", "ConsumerRole", "ReaderRole", "RedriveRole"])
def test_no_identity_has_a_wildcard(identity: str) -> None:
    """Neither in an action nor in a resource."""
    assert "*" not in repr(list(statements(identity)))


def test_nothing_is_coupled_to_the_incident_tables() -> None:
    """Recommendations are advisory: no name, right or trigger refers to an incident table."""
    assert "opx-incident" not in PATH.read_text()


def test_visibility_timeout_covers_six_invocations() -> None:
    """CloudFormation cannot multiply, so the number is written out and held here."""
    window = properties("Consumer")["Events"]["Queue"]["Properties"]["MaximumBatchingWindowInSeconds"]
    assert PARAMETERS["VisibilityTimeout"]["Default"] == 6 * (properties("Consumer")["Timeout"] + window)


def test_event_source_reports_partial_failures() -> None:
    """Without the response type, one failed record would retry its whole batch."""
    source = properties("Consumer")["Events"]["Queue"]["Properties"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["MaximumBatchingWindowInSeconds"] >= 1  # AWS's rule for batches of more than ten
    assert "FilterCriteria" not in source  # it would discard what does not match, unseen


def test_function_runs_what_is_built() -> None:
    """Runtime, handler and architecture are those of the zip."""
    function = properties("Consumer")
    assert (function["Runtime"], function["Handler"]) == ("python3.13", "consumer.handler.handler")
    assert PARAMETERS["Architecture"]["Default"] == "arm64"
    assert (PATH.parent / function["CodeUri"]).resolve() == ROOT / "build" / "consumer.zip"


def test_function_gets_the_settings_that_it_reads() -> None:
    """Every variable of ours is one that the settings know, and none is missing."""
    variables = properties("Consumer")["Environment"]["Variables"]
    ours = {name for name in variables if not name.startswith(("POWERTOOLS_", "PYDANTIC_"))}
    others = {"RECOMMENDATIONS_QUEUE_URL", "RETENTION_DAYS", "AWS_REGION"}  # the producer's two, and Lambda's own
    assert ours == VARIABLES - others


def test_queue_redrives_after_five_receives_to_its_own_dead_letter_queue() -> None:
    """Only the queue may use the dead-letter queue, which keeps what it gets for longer."""
    redrive = properties("Queue")["RedrivePolicy"]
    assert redrive == {"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}, "maxReceiveCount": 5}
    allow = properties("DeadLetterQueue")["RedriveAllowPolicy"]
    (source,) = allow["sourceQueueArns"]
    assert allow["redrivePermission"] == "byQueue"
    assert source["Fn::Sub"].endswith(":" + properties("Queue")["QueueName"]["Fn::Sub"])
    fourteen_days = 14 * 24 * 3600
    assert properties("DeadLetterQueue")["MessageRetentionPeriod"] == fourteen_days
    assert properties("Queue")["MessageRetentionPeriod"] < fourteen_days


def test_queues_are_encrypted_and_refuse_plain_http() -> None:
    """Both of them."""
    denied = set()
    for policy in of_type("AWS::SQS::QueuePolicy"):
        (statement,) = properties(policy)["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", "sqs:*", "*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        denied.add(statement["Resource"]["Fn::GetAtt"][0])
        assert properties(policy)["Queues"] == [{"Ref": statement["Resource"]["Fn::GetAtt"][0]}]
    assert denied == set(of_type("AWS::SQS::Queue"))
    assert all(properties(queue)["SqsManagedSseEnabled"] is True for queue in denied)


def indexes_of_table() -> list[dict[str, Any]]:
    """Return the table's global secondary indexes."""
    result: list[dict[str, Any]] = properties("Table")["GlobalSecondaryIndexes"]
    return result


def test_table_has_its_three_indexes() -> None:
    """Each is sorted by the instant and holds whole items."""
    keys = {
        index["IndexName"]: [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]]
        for index in indexes_of_table()
    }
    assert keys == {
        f"{attribute}-timestamp-index": [(attribute, "HASH"), ("timestamp", "RANGE")]
        for attribute in ("incidentId", "agentType", "executionId")
    }
    assert all(index["Projection"] == {"ProjectionType": "ALL"} for index in indexes_of_table())


def test_table_outlives_its_stack() -> None:
    """It expires items, is encrypted, can be restored, and no stack operation deletes it."""
    table = properties("Table")
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert {RESOURCES["Table"]["DeletionPolicy"], RESOURCES["Table"]["UpdateReplacePolicy"]} == {"Retain"}


def test_every_physical_name_takes_the_suffix() -> None:
    """So that a second copy fits into the same account."""
    named = ("QueueName", "TableName", "FunctionName", "RoleName", "AlarmName", "LogGroupName")
    names = [
        resource["Properties"][key] for resource in RESOURCES.values() for key in named if key in resource["Properties"]
    ]
    assert len(names) == len(
        [*of_type("AWS::SQS::Queue"), "Table", "Consumer", "ReaderRole", "RedriveRole", "ConsumerLogGroup"]
    ) + len(of_type("AWS::CloudWatch::Alarm"))
    assert all("${NameSuffix}" in name["Fn::Sub"] for name in names)


def test_alarms_notify_the_topic_and_stay_calm_without_traffic() -> None:
    """Alarms that nobody hears, or that cry at night over silence, are none."""
    alarms = of_type("AWS::CloudWatch::Alarm")
    assert len(alarms) == 5
    for alarm in alarms:
        notify = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
        assert properties(alarm)["AlarmActions"] == properties(alarm)["OKActions"] == notify
        assert properties(alarm)["TreatMissingData"] == "notBreaching"


def test_alarms_watch_metrics_that_the_consumer_emits() -> None:
    """Names and namespace are the shared ones, without a dimension, as the consumer's totals are."""
    watched = set()
    for alarm in of_type("AWS::CloudWatch::Alarm"):
        single = [properties(alarm)] if "MetricName" in properties(alarm) else []
        nested = [part["MetricStat"]["Metric"] for part in properties(alarm).get("Metrics", []) if "MetricStat" in part]
        for metric in [*single, *nested]:
            if metric["Namespace"] == metrics.NAMESPACE:
                assert "Dimensions" not in metric
                watched.add(metric["MetricName"])
    assert watched == {metrics.PERSISTED, metrics.PERSISTENCE_FAILURE, metrics.PERSISTENCE_THROTTLED}


def test_parameters_explain_themselves() -> None:
    """Each has a description, a default and a bound."""
    bounds = {"AllowedValues", "AllowedPattern", "MinValue"}
    for name, parameter in PARAMETERS.items():
        assert parameter["Description"].endswith("."), name
        assert "Default" in parameter, name
        assert bounds & parameter.keys(), name
