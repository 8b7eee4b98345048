"""The template with its options, deployed on the emulator: complete, consuming, and as configured."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.build.zips import build
from infra.local import canary, deployment, ports
from infra.local.differences import apply_all
from infra.local.emulator import Emulator
from infra.local.stack import client
from infra.paths import TEMPLATE
from infra.synthesis.synthesize import EVERY_OPTION
from infra.template import Template

Deploy = Callable[[dict[str, str]], dict[str, str]]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator for these tests alone, on which several stacks run side by side."""
    running = Emulator(tmp_path_factory.mktemp("deploys"))
    try:
        running.start(ports.choose(0))
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def client_for(emulator: Emulator) -> Callable[[str], Any]:
    """Return a function that creates clients for the emulator."""
    return lambda service: client(emulator.endpoint_url, service)


@pytest.fixture(scope="module")
def packaged(
    client_for: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[dict[str, str]], Template]:
    """Return a function that returns the template with parameters, adapted to the emulator, its zip uploaded."""
    zipped = build("local", tmp_path_factory.mktemp("zip") / "consumer.zip")

    def template(parameters: dict[str, str]) -> Template:
        loaded = apply_all(deployment.load_template(TEMPLATE, parameters))
        return deployment.package(client_for, loaded, Path(zipped.path), zipped.digest)

    return template


@pytest.fixture(scope="module")
def deploy(
    emulator: Emulator, client_for: Callable[[str], Any], packaged: Callable[[dict[str, str]], Template]
) -> Deploy:
    """Return a function that deploys a stack with parameters and returns its outputs."""
    return lambda parameters: deployment.deploy(
        client_for, packaged(parameters), emulator.check, f"options{parameters.get('NameSuffix', '')}"
    )


@pytest.fixture(scope="module")
def everything(emulator: Emulator, client_for: Callable[[str], Any], deploy: Deploy) -> dict[str, str]:
    """The outputs of a stack with every option on, once it consumes."""
    own = {
        "KmsKeyArn": client_for("kms").create_key()["KeyMetadata"]["Arn"],
        "ExecutorRoleName": client_for("iam").create_role(RoleName="executor", AssumeRolePolicyDocument="{}")["Role"][
            "RoleName"
        ],
    }
    outputs = deploy({**EVERY_OPTION, **own})
    queues = outputs["QueueUrl"], outputs["DeadLetterQueueUrl"]
    canary.wait_until_consumed(client_for, *queues, outputs["TableName"], emulator.check)
    return outputs


def test_every_option_at_once_deploys_and_consumes(everything: dict[str, str]) -> None:
    """With all conditions true, the template does not contradict itself."""
    assert everything["Stage"] == "prod"
    assert everything["ConsumerAliasArn"].endswith(":live")
    assert len(everything["AlarmNames"].split(",")) == 6


def test_production_table_is_protected_and_has_compact_indexes(
    everything: dict[str, str], client_for: Callable[[str], Any]
) -> None:
    """The table itself refuses to be deleted, whoever asks."""
    dynamodb, name = client_for("dynamodb"), everything["TableName"]
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["DeletionProtectionEnabled"] is True
    assert {index["Projection"]["ProjectionType"] for index in table["GlobalSecondaryIndexes"]} == {"INCLUDE"}
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.delete_table(TableName=name)


def test_executor_policy_is_attached_to_the_role(everything: dict[str, str], client_for: Callable[[str], Any]) -> None:
    """The role's name is all that is needed."""
    (attached,) = client_for("iam").list_attached_role_policies(RoleName="executor")["AttachedPolicies"]
    assert attached["PolicyArn"] == everything["ExecutorPolicyArn"]


def test_dashboard_and_topic_are_created(everything: dict[str, str], client_for: Callable[[str], Any]) -> None:
    """The service accepts the dashboard's body, and the address is subscribed."""
    name = everything["DashboardUrl"].rpartition("/")[2]
    body = client_for("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    assert json.loads(body)["widgets"]
    (subscription,) = client_for("sns").list_subscriptions_by_topic(TopicArn=everything["AlarmTopicArn"])[
        "Subscriptions"
    ]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", EVERY_OPTION["AlarmEmail"])


def test_rules_reject_a_deployment_before_it_begins(deploy: Deploy) -> None:
    """The change set is rejected with the rule's own message."""
    with pytest.raises(ClientError, match="In production, alarms must notify somebody"):
        deploy({"Stage": "prod", "NameSuffix": "-unheard"})


def test_changing_only_a_parameter_changes_what_the_queue_invokes(
    client_for: Callable[[str], Any], packaged: Callable[[dict[str, str]], Template], deploy: Deploy
) -> None:
    """The alias moves to a new version with the new value."""
    function = deploy({"NameSuffix": "-changed"})["ConsumerFunctionName"]
    cloudformation, functions = client_for("cloudformation"), client_for("lambda")
    before = functions.get_alias(FunctionName=function, Name="live")["FunctionVersion"]
    cloudformation.update_stack(
        StackName="options-changed",
        **deployment.upload(client_for, packaged({"NameSuffix": "-changed", "LogLevel": "DEBUG"})),
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    deadline = time.monotonic() + 30
    while cloudformation.describe_stacks(StackName="options-changed")["Stacks"][0]["StackStatus"] != "UPDATE_COMPLETE":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert functions.get_alias(FunctionName=function, Name="live")["FunctionVersion"] != before
    invoked = functions.get_function_configuration(FunctionName=function, Qualifier="live")
    assert invoked["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == "DEBUG"
