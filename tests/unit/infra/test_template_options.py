"""What each parameter changes in the template as CloudFormation deploys it, in many combinations."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # cfn-lint ships no types

from infra.deploy import stages
from infra.paths import TEMPLATE
from infra.synthesis.intrinsics import STREAM_LABEL, Resolver
from infra.synthesis.synthesize import EVERY_OPTION, SynthesisError, synthesize
from infra.template import load
from recommendation_shared.settings import reviews_table_of

pytestmark = pytest.mark.one_python

KEY = EVERY_OPTION["KmsKeyArn"]
TOPIC = "arn:aws:sns:us-east-1:123456789012:on-call"
NOTIFIED: tuple[dict[str, str], ...] = ({"AlarmEmail": "on-call@example.com"}, {"AlarmTopicArn": TOPIC})
# The options that affect the same resource, each off and on; the others are added to half of the combinations.
COMBINATIONS: list[dict[str, str]] = [
    {**stage, **notified, **key, **compact, **pollers, **rest}
    for (stage, notified), key, (compact, pollers, rest) in itertools.product(
        [
            ({"Stage": "dev"}, {}),
            *(({"Stage": stage}, notified) for stage, notified in itertools.product(("staging", "prod"), NOTIFIED)),
        ],
        ({}, {"KmsKeyArn": KEY}),
        (
            ({}, {}, {}),
            (
                {"CompactIndexes": "true"},
                {"MinimumPollers": "2", "MaximumPollers": "50"},
                {
                    "NameSuffix": "-two",
                    "SnapStart": "PublishedVersions",
                    "ReaderMayScan": "true",
                    "Architecture": "x86_64",
                },
            ),
        ),
    )
]
LONGEST_NAMES = {"QueueName": 80, "TableName": 255, "FunctionName": 64, "RoleName": 64, "TopicName": 256}


def resources(parameters: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return what is deployed with these parameters."""
    result: dict[str, dict[str, Any]] = synthesize(parameters)["Resources"]
    return result


def of_type(kind: str, deployed: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the properties of all resources of a type."""
    return [resource["Properties"] for resource in deployed.values() if resource["Type"] == kind]


def named(parameters: Mapping[str, str]) -> str:
    """Return a combination's name for pytest."""
    return ",".join(f"{name}={value[:12]}" for name, value in parameters.items())


@pytest.mark.parametrize("parameters", COMBINATIONS, ids=named)
def test_every_combination_is_consistent(parameters: dict[str, str]) -> None:
    """Each assertion is a separate invariant."""
    deployed = resources(parameters)
    mapping, queue = deployed["ConsumerQueue"]["Properties"], deployed["Queue"]["Properties"]
    function, table = deployed["Consumer"]["Properties"], deployed["Table"]["Properties"]

    assert queue["VisibilityTimeout"] >= 6 * (function["Timeout"] + mapping["MaximumBatchingWindowInSeconds"])
    assert ("ScalingConfig" in mapping) != ("ProvisionedPollerConfig" in mapping)  # AWS accepts only one of the two
    assert table["DeletionProtectionEnabled"] is (parameters["Stage"] != "dev")

    assert not of_type("AWS::CloudWatch::CompositeAlarm", deployed)  # one costs as much as five metrics of alarms
    for alarm in of_type("AWS::CloudWatch::Alarm", deployed):
        assert len(alarm["AlarmActions"]) == 1
        assert alarm.get("OKActions", alarm["AlarmActions"]) == alarm["AlarmActions"]
    assert ("AlarmTopic" in deployed) == ("AlarmTopicPolicy" in deployed) == ("AlarmTopicArn" not in parameters)
    assert ("Dashboard" in deployed) == (parameters["Stage"] == "prod")

    key = parameters.get("KmsKeyArn")
    for each in of_type("AWS::SQS::Queue", deployed):
        assert (each.get("KmsMasterKeyId"), each["SqsManagedSseEnabled"]) == (key, key is None)
    assert table["SSESpecification"].get("KMSMasterKeyId") == key
    assert deployed["ConsumerLogGroup"]["Properties"].get("KmsKeyId") == key
    for topic in of_type("AWS::SNS::Topic", deployed):
        assert topic.get("KmsMasterKeyId") == key

    for name, longest in LONGEST_NAMES.items():
        for resource in deployed.values():
            assert len(resource["Properties"].get(name, "").rpartition("function:")[2].removesuffix(":live")) <= longest


@pytest.mark.parametrize("parameters", [{}, EVERY_OPTION], ids=["default", "every option"])
def test_everything_that_can_be_tagged_is_tagged(parameters: dict[str, str]) -> None:
    """The schema of each type decides. SAM has no way to tag the mapping that it creates for an event."""
    taggable, wanted = set(), {"Project", "Stage", "CostCenter"}
    for name, resource in resources(parameters).items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource["Type"]).schema
        if "Tags" in schema["properties"] and resource["Type"] != "AWS::Lambda::EventSourceMapping":
            taggable.add(resource["Type"])
            given = resource["Properties"].get("Tags", ())
            tags = given if isinstance(given, dict) else {tag["Key"]: tag["Value"] for tag in given}
            assert wanted <= tags.keys(), name
            assert tags["Stage"] == parameters.get("Stage", "dev")
    assert {"AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::IAM::Role"} <= taggable
    assert {"AWS::CloudWatch::Alarm", "AWS::Logs::LogGroup"} <= taggable


def test_every_physical_name_has_the_suffix() -> None:
    """A second stack can then be deployed in the same account."""
    first, second = (
        resources({"Stage": "prod", "AlarmEmail": "a@b.example"}),
        resources({"Stage": "prod", "AlarmEmail": "a@b.example", "NameSuffix": "-two"}),
    )
    kinds = {"QueueName", "TableName", "FunctionName", "RoleName", "AlarmName", "LogGroupName", "TopicName"}
    names = 0
    for logical, resource in first.items():
        for kind in (kinds | {"DashboardName"}) & resource["Properties"].keys():
            if resource["Type"] in ("AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::Lambda::EventSourceMapping"):
                continue  # these refer to the function by its name
            names += 1
            assert second[logical]["Properties"][kind] != resource["Properties"][kind], logical
    assert names == 3 + 2 + 2 + 5 + 12 + 2 + 1 + 1  # queues, tables, functions, roles, alarms, logs, topic, dashboard


def test_compact_indexes_hold_what_lists_show() -> None:
    """They repeat no key and omit the digest, whose absence tells readers that an item is partial."""
    for index in resources({"CompactIndexes": "true"})["Table"]["Properties"]["GlobalSecondaryIndexes"]:
        keys = {"recommendationId", *(key["AttributeName"] for key in index["KeySchema"])}
        held = set(index["Projection"]["NonKeyAttributes"])
        assert index["Projection"]["ProjectionType"] == "INCLUDE"
        assert held | keys == {
            *("recommendationId", "incidentId", "agentType", "executionId", "timestamp"),
            *("confidence", "reasoning", "metadata", "ttl"),
        }
        assert not held & keys


def test_pollers_replace_the_limit_of_concurrency() -> None:
    """The mapping has the numbers that were given."""
    mapping = resources({"MinimumPollers": "3", "MaximumPollers": "7"})["ConsumerQueue"]["Properties"]
    assert mapping["ProvisionedPollerConfig"] == {"MinimumPollers": 3, "MaximumPollers": 7}
    mapping = resources({"MaximumConcurrency": "5"})["ConsumerQueue"]["Properties"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}


def test_queues_and_table_survive_their_stack_and_a_changed_suffix() -> None:
    """What they hold is the only copy. A first deployment that fails leaves nothing behind."""
    template = load()["Resources"]
    for name in ("Queue", "DeadLetterQueue", "Table"):
        assert template[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert template[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize(
    ("level", "lambdas"),
    [
        ("DEBUG", "DEBUG"),
        ("INFO", "INFO"),
        ("WARNING", "WARN"),
        ("ERROR", "ERROR"),
    ],
)
def test_logs_are_json_at_every_level(level: str, lambdas: str) -> None:
    """Lambda filters by level, under its own names; metric lines carry the level that passes."""
    deployed = resources({"LogLevel": level})
    for name in ("Consumer", "Keeper"):
        properties = deployed[name]["Properties"]
        group = deployed[f"{name}LogGroup"]["Properties"]["LogGroupName"]
        assert properties["LoggingConfig"] == {
            "LogGroup": group,
            "LogFormat": "JSON",
            "ApplicationLogLevel": lambdas,
        }
        assert properties["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == level


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"Stage": "prod"}, "alarms must notify somebody"),
        ({**NOTIFIED[0], **NOTIFIED[1]}, "not both"),
        ({"Stage": "staging", "VisibilityTimeout": "5"}, "must be 192"),
        ({"MinimumPollers": "1"}, "at least 2"),
        ({"MinimumPollers": "201"}, "from 0 to 200"),
        ({"MaximumConcurrency": "1"}, "from 2 to 1000"),
        ({"Stage": "test"}, "must be one of dev, staging, prod"),
        ({"NameSuffix": "Two"}, "lower-case words"),
        ({"NameSuffix": "-a-name-that-is-too-long"}, "lower-case words"),
        ({"KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:alias/mine"}, "not of an alias"),
        ({"AlarmEmail": "nobody"}, "an e-mail address"),
        ({"AlarmTopicArn": "arn:aws:sqs:us-east-1:123456789012:queue"}, "SNS topic"),
        ({"LogRetentionDays": "31"}, "must be one of"),
        ({"CostCenter": ""}, "1 to 256 letters"),
        ({"ReaderPrincipalArn": "*"}, "a role, a user or an account"),
    ],
)
def test_invalid_parameters_are_rejected_before_anything_is_created(parameters: dict[str, str], reason: str) -> None:
    """A constraint or a rule of the template rejects them, and its message says what to do."""
    with pytest.raises(SynthesisError, match=reason):
        synthesize(parameters)


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_template_accepts_the_stages_of_the_deployment(name: str) -> None:
    """They have the names that `make destroy` uses; production also needs somebody to notify."""
    stage = stages.load(name, {})
    notified = NOTIFIED[0] if name == "prod" else {}
    deployed = resources({**stage.parameters, **notified})
    names = tuple(deployed[name]["Properties"]["TableName"] for name in ("Table", "ReviewsTable"))
    assert names == stage.table_names
    assert names[1] == reviews_table_of(names[0])
    assert deployed["Consumer"]["Properties"]["Architectures"] == [stage.platform]
    assert stage.parameters["Stage"] == name


def test_defaults_and_every_option_take_both_branches_of_every_condition() -> None:
    """Checks of these two sets, checkov's and ours, therefore cover the whole template."""
    template = load()
    defaults = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
    off, on = Resolver(template, defaults), Resolver(template, {**defaults, **EVERY_OPTION})
    same = {name for name in template["Conditions"] if off.holds(name) == on.holds(name)}
    # The alternatives to an option: an existing topic instead of AlarmEmail, a restored table instead of a new one, and
    # a page for each loss instead of one for all.
    assert same == {"CreatesAlarmTopic", "OwnsTable", "EachLossPages"}


RESTORED = {
    "RestoredTableName": "opx-restored",
    "RestoredTableStreamArn": f"arn:aws:dynamodb:us-east-1:123456789012:table/opx-restored/stream/{STREAM_LABEL}",
}


def test_a_restored_table_takes_the_place_of_the_stacks_own_everywhere() -> None:
    """Functions, identities, dashboard and outputs use it; the own table is let go of, and retained by its policy."""
    own = synthesize({"Stage": "prod", "AlarmEmail": "on-call@example.com"})
    restored = synthesize({"Stage": "prod", "AlarmEmail": "on-call@example.com", **RESTORED})
    name = own["Outputs"]["TableName"]["Value"]
    del own["Resources"]["Table"]
    expected = json.dumps({**own, "Description": ""}, sort_keys=True)
    stream = f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}/stream/{STREAM_LABEL}"
    policy = f"table/{name}/stream/*"
    actual = json.dumps({**restored, "Description": ""}, sort_keys=True)
    actual = actual.replace(RESTORED["RestoredTableStreamArn"], stream).replace("opx-restored", name)
    actual = actual.replace(policy, f"table/{name}/stream/{STREAM_LABEL}")
    assert actual.replace(f"restored table {name}", "restored table ") == expected


def test_a_restored_table_needs_its_stream() -> None:
    """Otherwise nothing would notice what is edited or deleted in it."""
    for name, value in RESTORED.items():
        with pytest.raises(SynthesisError, match="together, or neither"):
            synthesize({name: value})


def test_backups_are_kept_for_as_long_as_the_parameter_says() -> None:
    """Longer than point-in-time recovery, which reaches back 35 days; the vault outlives its stack."""
    assert not [each for each in resources({}).values() if each["Type"].startswith("AWS::Backup")]
    deployed = resources({"BackupDays": "120"})
    (rule,) = deployed["BackupPlan"]["Properties"]["BackupPlan"]["BackupPlanRule"]
    assert rule["Lifecycle"] == {"DeleteAfterDays": 120}
    assert rule["TargetBackupVault"] == deployed["BackupVault"]["Properties"]["BackupVaultName"]
    selection = deployed["BackupSelection"]["Properties"]["BackupSelection"]
    tables = ("opx-agent-recommendations", "opx-recommendation-reviews")
    assert selection["Resources"] == [f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}" for name in tables]
    assert load()["Resources"]["BackupVault"]["DeletionPolicy"] == "Retain"


def test_only_named_accounts_and_the_organization_may_send_from_elsewhere() -> None:
    """By default the queue's policy allows nothing: within the account, the executor's own policy decides."""

    def allowed(parameters: dict[str, str]) -> list[dict[str, Any]]:
        statements = resources(parameters)["QueueTlsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        return [statement for statement in statements if statement["Effect"] == "Allow"]

    assert allowed({}) == []
    (accounts,) = allowed({"ExecutorAccountIds": "111122223333,444455556666"})
    assert accounts["Principal"] == {"AWS": ["111122223333", "444455556666"]}
    assert accounts["Action"] == "sqs:SendMessage"
    (organization,) = allowed({"ExecutorOrganizationId": "o-a1b2c3d4e5"})
    assert organization["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    assert organization["Action"] == "sqs:SendMessage"


@pytest.mark.parametrize("ids", ["12345678901", "111122223333, 444455556666", "*"])
def test_a_list_with_anything_but_account_ids_is_refused(ids: str) -> None:
    """A stray star would let everybody send."""
    with pytest.raises(SynthesisError, match="ExecutorAccountIds"):
        resources({"ExecutorAccountIds": ids})


def test_other_stacks_find_what_they_need_as_parameters() -> None:
    """Each has the stage's suffix, and the value of the output with the same meaning."""
    deployed = synthesize({"NameSuffix": "-dev", "ReviewRetentionDays": "730"})
    values = {
        resource["Properties"]["Name"]: resource["Properties"]["Value"]
        for resource in deployed["Resources"].values()
        if resource["Type"] == "AWS::SSM::Parameter"
    }
    outputs = {name: output["Value"] for name, output in deployed["Outputs"].items()}
    assert values == {
        "/opx-recommendations-dev/queue-url": outputs["QueueUrl"],
        "/opx-recommendations-dev/executor-policy-arn": outputs["ExecutorPolicyArn"],
        "/opx-recommendations-dev/producer-layer-arn": outputs["ProducerLayerArn"],
        "/opx-recommendations-dev/table-name": outputs["TableName"],
        "/opx-recommendations-dev/table-arn": outputs["TableArn"],
        "/opx-recommendations-dev/alarm-topic-arn": outputs["AlarmTopicArn"],
        "/opx-recommendations-dev/reviews-table-name": outputs["ReviewsTableName"],
        "/opx-recommendations-dev/review-retention-days": "730",
    }


def test_executors_alarms_elsewhere_are_those_of_the_template() -> None:
    """The small template for another account has the same alarm, for a topic of that account."""
    (alarm,) = load(TEMPLATE.with_name("executor-alarms.yaml"))["Resources"].values()
    ours = load()["Resources"]["DroppedAlarm"]
    differing = {"AlarmActions", "AlarmDescription", "Tags"}  # nothing expires there
    assert {name: value for name, value in alarm["Properties"].items() if name not in differing} == {
        name: value for name, value in ours["Properties"].items() if name not in differing
    }
