"""What each parameter changes, over the template as CloudFormation deploys it under many combinations of them."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # cfn-lint ships no types

from infra.deploy import stages
from infra.synthesis.intrinsics import Resolver
from infra.synthesis.synthesize import EVERY_OPTION, SynthesisError, load, synthesize

KEY = EVERY_OPTION["KmsKeyArn"]
TOPIC = "arn:aws:sns:us-east-1:123456789012:on-call"
HEARD: tuple[dict[str, str], ...] = ({"AlarmEmail": "on-call@example.com"}, {"AlarmTopicArn": TOPIC})
# The options that meet in one resource, each off and on; the rest is added to half of them.
COMBINATIONS: list[dict[str, str]] = [
    {**stage, **heard, **key, **compact, **pollers, **rest}
    for (stage, heard), key, (compact, pollers, rest) in itertools.product(
        [
            ({"Stage": "dev"}, {}),
            *(({"Stage": stage}, heard) for stage, heard in itertools.product(("staging", "prod"), HEARD)),
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
BOUND_BY_AWS = {"QueueName": 80, "TableName": 255, "FunctionName": 64, "RoleName": 64, "TopicName": 256}


def resources(parameters: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return what is deployed with these parameters."""
    result: dict[str, dict[str, Any]] = synthesize(parameters)["Resources"]
    return result


def of_type(kind: str, deployed: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the properties of all resources of a type."""
    return [one["Properties"] for one in deployed.values() if one["Type"] == kind]


def named(parameters: Mapping[str, str]) -> str:
    """Name a combination for pytest."""
    return ",".join(f"{name}={value[:12]}" for name, value in parameters.items())


@pytest.mark.parametrize("parameters", COMBINATIONS, ids=named)
def test_every_combination_is_whole(parameters: dict[str, str]) -> None:
    """Everything that a combination must keep to; each line is a promise of its own."""
    deployed = resources(parameters)
    mapping, queue = deployed["ConsumerQueue"]["Properties"], deployed["Queue"]["Properties"]
    function, table = deployed["Consumer"]["Properties"], deployed["Table"]["Properties"]

    assert queue["VisibilityTimeout"] >= 6 * (function["Timeout"] + mapping["MaximumBatchingWindowInSeconds"])
    assert ("ScalingConfig" in mapping) != ("ProvisionedPollerConfig" in mapping)  # AWS takes one of the two
    assert table["DeletionProtectionEnabled"] is (parameters["Stage"] != "dev")

    heard = bool({"AlarmEmail", "AlarmTopicArn"} & parameters.keys())
    for alarm in of_type("AWS::CloudWatch::Alarm", deployed):
        assert ("AlarmActions" in alarm) == ("OKActions" in alarm) == heard
    assert ("AlarmTopic" in deployed) == ("AlarmTopicPolicy" in deployed) == ("AlarmEmail" in parameters)

    key = parameters.get("KmsKeyArn")
    for one in of_type("AWS::SQS::Queue", deployed):
        assert (one.get("KmsMasterKeyId"), one["SqsManagedSseEnabled"]) == (key, key is None)
    assert table["SSESpecification"].get("KMSMasterKeyId") == key
    assert deployed["ConsumerLogGroup"]["Properties"].get("KmsKeyId") == key
    for topic in of_type("AWS::SNS::Topic", deployed):
        assert topic.get("KmsMasterKeyId") == key

    for name, longest in BOUND_BY_AWS.items():
        for one in deployed.values():
            assert len(one["Properties"].get(name, "").rpartition("function:")[2].removesuffix(":live")) <= longest


@pytest.mark.parametrize("parameters", [{}, EVERY_OPTION], ids=["default", "every option"])
def test_everything_that_can_be_tagged_is(parameters: dict[str, str]) -> None:
    """As the registry's schema of each type says; SAM has no way to tag the mapping that it makes of an event."""
    taggable, wanted = set(), {"Project", "Stage", "CostCenter"}
    for name, one in resources(parameters).items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", one["Type"]).schema
        if "Tags" in schema["properties"] and one["Type"] != "AWS::Lambda::EventSourceMapping":
            taggable.add(one["Type"])
            tags = {tag["Key"]: tag["Value"] for tag in one["Properties"].get("Tags", ())}
            assert wanted <= tags.keys(), name
            assert tags["Stage"] == parameters.get("Stage", "dev")
    assert {"AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::IAM::Role"} <= taggable
    assert {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Logs::LogGroup"} <= taggable


def test_every_physical_name_takes_the_suffix() -> None:
    """So that a second copy fits into the same account."""
    first, second = (
        resources({"AlarmEmail": "a@b.example"}),
        resources({"AlarmEmail": "a@b.example", "NameSuffix": "-two"}),
    )
    kinds = {"QueueName", "TableName", "FunctionName", "RoleName", "AlarmName", "LogGroupName", "TopicName"}
    names = 0
    for logical, one in first.items():
        for kind in (kinds | {"DashboardName"}) & one["Properties"].keys():
            if one["Type"] in ("AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::Lambda::EventSourceMapping"):
                continue  # they name the function
            names += 1
            assert second[logical]["Properties"][kind] != one["Properties"][kind], logical
    assert names == 2 + 1 + 1 + 2 + 6 + 1 + 1 + 1


def test_compact_indexes_hold_what_lists_print() -> None:
    """No key a second time, and no digest, by which a reader tells a part from the whole."""
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
    """With the numbers that were given."""
    mapping = resources({"MinimumPollers": "3", "MaximumPollers": "7"})["ConsumerQueue"]["Properties"]
    assert mapping["ProvisionedPollerConfig"] == {"MinimumPollers": 3, "MaximumPollers": 7}
    mapping = resources({"MaximumConcurrency": "5"})["ConsumerQueue"]["Properties"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}


@pytest.mark.parametrize(("parameters", "actions"), [(HEARD[1], [TOPIC]), ({}, None)])
def test_alarms_notify_a_topic_of_one_s_own(parameters: dict[str, str], actions: list[str] | None) -> None:
    """Or none at all."""
    for alarm in of_type("AWS::CloudWatch::Alarm", resources(parameters)):
        assert alarm.get("AlarmActions") == alarm.get("OKActions") == actions


def test_address_is_notified_through_a_topic_of_the_stack() -> None:
    """Every alarm publishes to it, and the address subscribes."""
    deployed = resources(HEARD[0])
    made = "arn:aws:sns:us-east-1:123456789012:opx-recommendations-alarms"
    assert all(alarm["AlarmActions"] == [made] for alarm in of_type("AWS::CloudWatch::Alarm", deployed))
    subscription = {"Protocol": "email", "Endpoint": "on-call@example.com"}
    assert deployed["AlarmTopic"]["Properties"]["Subscription"] == [subscription]
    assert deployed["AlarmTopicPolicy"]["Properties"]["Topics"] == [made]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"Stage": "prod"}, "somebody must hear the alarms"),
        ({**HEARD[0], **HEARD[1]}, "not both"),
        ({"Stage": "staging", "VisibilityTimeout": "5"}, "192 s"),
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
def test_what_cannot_work_is_refused_before_anything_is_made(parameters: dict[str, str], reason: str) -> None:
    """By a constraint or a rule of the template, whose text says what to do."""
    with pytest.raises(SynthesisError, match=reason):
        synthesize(parameters)


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_stages_of_the_deployment_are_ones_that_the_template_takes(name: str) -> None:
    """With the names that destroying goes by; production once it is told who hears the alarms."""
    stage = stages.load(name, {})
    heard = HEARD[0] if name == "prod" else {}
    deployed = resources({**stage.parameters, **heard})
    assert deployed["Table"]["Properties"]["TableName"] == stage.table_name
    assert deployed["Consumer"]["Properties"]["Architectures"] == [stage.platform]
    assert stage.parameters["Stage"] == name


def test_default_and_every_option_take_both_branches_of_every_condition() -> None:
    """So that checks of these two, checkov's and ours, have seen the whole template."""
    template = load()
    defaults = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
    off, on = Resolver(template, defaults), Resolver(template, {**defaults, **EVERY_OPTION})
    same = {name for name in template["Conditions"] if off.holds(name) == on.holds(name)}
    assert same == {"HasAlarmTopic"}  # AlarmEmail's alternative; a topic of one's own makes no resource
