"""The template under its options, deployed for real on the emulator: created whole, consuming, and as asked."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.build.zips import build
from infra.local import canary, deployment, ports
from infra.local.differences import Template, apply_all
from infra.local.emulator import Emulator
from infra.local.stack import client
from infra.paths import ROOT
from infra.synthesis.synthesize import EVERY_OPTION

Deploy = Callable[[dict[str, str]], dict[str, str]]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator of our own, in which several copies stand side by side."""
    running = Emulator(tmp_path_factory.mktemp("deploys"))
    try:
        running.start(ports.choose(0))
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def of_service(emulator: Emulator) -> Callable[[str], Any]:
    """Return clients of the emulator by service."""
    return lambda service: client(emulator.endpoint_url, service)


@pytest.fixture(scope="module")
def packaged(
    of_service: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[dict[str, str]], Template]:
    """Return the template with parameters, as the emulator takes it, its zip uploaded."""
    zipped = build("local", tmp_path_factory.mktemp("zip") / "consumer.zip")

    def template(parameters: dict[str, str]) -> Template:
        loaded = apply_all(deployment.load_template(ROOT / "infra" / "template.yaml", parameters))
        return deployment.package(of_service, loaded, Path(zipped.path), zipped.digest)

    return template


@pytest.fixture(scope="module")
def deploy(
    emulator: Emulator, of_service: Callable[[str], Any], packaged: Callable[[dict[str, str]], Template]
) -> Deploy:
    """Deploy a copy with parameters; return the outputs."""
    return lambda parameters: deployment.deploy(
        of_service, packaged(parameters), emulator.check, f"options{parameters.get('NameSuffix', '')}"
    )


@pytest.fixture(scope="module")
def everything(emulator: Emulator, of_service: Callable[[str], Any], deploy: Deploy) -> dict[str, str]:
    """The outputs of a copy with every option on, once it really consumes."""
    own = {
        "KmsKeyArn": of_service("kms").create_key()["KeyMetadata"]["Arn"],
        "ExecutorRoleName": of_service("iam").create_role(RoleName="executor", AssumeRolePolicyDocument="{}")["Role"][
            "RoleName"
        ],
    }
    outputs = deploy({**EVERY_OPTION, **own})
    canary.wait_until_consumed(of_service, outputs["QueueUrl"], outputs["TableName"], emulator.check)
    return outputs


def test_every_option_at_once_deploys_and_consumes(everything: dict[str, str]) -> None:
    """With all conditions true, nothing in the template contradicts itself."""
    assert everything["Stage"] == "prod"
    assert everything["ConsumerAliasArn"].endswith(":live")
    assert len(everything["AlarmNames"].split(",")) == 6


def test_table_of_production_is_protected_and_its_indexes_are_compact(
    everything: dict[str, str], of_service: Callable[[str], Any]
) -> None:
    """A delete is refused by the table itself, whoever asks."""
    dynamodb, name = of_service("dynamodb"), everything["TableName"]
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["DeletionProtectionEnabled"] is True
    assert {index["Projection"]["ProjectionType"] for index in table["GlobalSecondaryIndexes"]} == {"INCLUDE"}
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.delete_table(TableName=name)


def test_executor_s_role_got_its_policy(everything: dict[str, str], of_service: Callable[[str], Any]) -> None:
    """By the name of the role alone."""
    (attached,) = of_service("iam").list_attached_role_policies(RoleName="executor")["AttachedPolicies"]
    assert attached["PolicyArn"] == everything["ExecutorPolicyArn"]


def test_dashboard_and_topic_are_there(everything: dict[str, str], of_service: Callable[[str], Any]) -> None:
    """The dashboard's body is what the service takes, and the address is asked to subscribe."""
    name = everything["DashboardUrl"].rpartition("/")[2]
    body = of_service("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    assert json.loads(body)["widgets"]
    (subscription,) = of_service("sns").list_subscriptions_by_topic(TopicArn=everything["AlarmTopicArn"])[
        "Subscriptions"
    ]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", EVERY_OPTION["AlarmEmail"])


def test_rules_stop_a_deployment_before_it_begins(deploy: Deploy) -> None:
    """The change set is refused with the rule's own words."""
    with pytest.raises(ClientError, match="In production somebody must hear the alarms"):
        deploy({"Stage": "prod", "NameSuffix": "-unheard"})


def test_change_of_a_parameter_alone_reaches_what_the_queue_invokes(
    of_service: Callable[[str], Any], packaged: Callable[[dict[str, str]], Template], deploy: Deploy
) -> None:
    """The alias moves to a new version that has it."""
    function = deploy({"NameSuffix": "-changed"})["ConsumerFunctionName"]
    cloudformation, functions = of_service("cloudformation"), of_service("lambda")
    before = functions.get_alias(FunctionName=function, Name="live")["FunctionVersion"]
    cloudformation.update_stack(
        StackName="options-changed",
        TemplateBody=json.dumps(packaged({"NameSuffix": "-changed", "LogLevel": "DEBUG"})),
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    deadline = time.monotonic() + 30
    while cloudformation.describe_stacks(StackName="options-changed")["Stacks"][0]["StackStatus"] != "UPDATE_COMPLETE":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert functions.get_alias(FunctionName=function, Name="live")["FunctionVersion"] != before
    invoked = functions.get_function_configuration(FunctionName=function, Qualifier="live")
    assert invoked["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == "DEBUG"
