"""The template with its options, deployed on the emulator: complete, consuming, and as configured."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.build.zips import build
from infra.deploy.compact import compact, stripped
from infra.deploy.package import LIMIT
from infra.local import canary, deployment, ports
from infra.local.differences import apply_all
from infra.local.emulator import Emulator
from infra.local.stack import client
from infra.paths import TEMPLATE
from infra.synthesis.synthesize import EVERY_OPTION
from infra.template import Template
from tests.support.lambdas.event import envelope

pytestmark = pytest.mark.timeout(300)  # the first test starts the emulator, deploys and waits for the canary

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
    alarms = everything["AlarmNames"].split(",")
    assert len(alarms) == 12 + len(["RecommendationsBeingLost"])


def test_packaged_template_deploys_from_a_request(
    emulator: Emulator, client_for: Callable[[str], Any], packaged: Callable[[dict[str, str]], Template]
) -> None:
    """As Terraform sends it, short tags, conditions of one letter and all; the functions then store what is sent."""
    text = compact(stripped(packaged({"NameSuffix": "-packed", "VisibilityTimeout": "5"})))
    assert len(text.encode()) <= LIMIT
    cloudformation = client_for("cloudformation")
    capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    cloudformation.create_stack(StackName="packed", TemplateBody=text, Capabilities=capabilities)
    _wait_until(cloudformation, emulator, "packed", "CREATE_COMPLETE")
    (stack,) = cloudformation.describe_stacks(StackName="packed")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    queues = outputs["QueueUrl"], outputs["DeadLetterQueueUrl"]
    canary.wait_until_consumed(client_for, *queues, outputs["TableName"], emulator.check)
    assert outputs["TableArn"].endswith(":table/opx-agent-recommendations-packed")


def test_two_stages_side_by_side_share_no_resource_and_no_metric_that_an_alarm_watches(
    emulator: Emulator, client_for: Callable[[str], Any], deploy: Deploy
) -> None:
    """A load test in one must not hide, nor cause, an alarm in the other; each stage's recommendation counts there."""
    watched, stages = list[set[tuple[str, str]]](), ("-one", "-other")
    values = list[set[str]]()
    for suffix in stages:
        outputs = deploy({"NameSuffix": suffix, "VisibilityTimeout": "5"})
        found = client_for("cloudwatch").describe_alarms(AlarmNames=outputs["AlarmNames"].split(","))["MetricAlarms"]
        assert len(found) == 12
        # The emulator does not say which queue or function an alarm watches; a unit test checks those of AWS's metrics.
        ours = {(alarm["Namespace"], alarm["MetricName"]) for alarm in found if alarm["Namespace"].startswith("OPX")}
        assert len(ours) == len({name for _, name in ours}) == 4
        watched.append(ours)
        values.append(set(outputs.values()))
        assert outputs["MetricsNamespace"] == f"OPX/Recommendations{suffix}"
        message = envelope(incident_id=f"incident{suffix}", retention=None).to_json().decode()
        client_for("sqs").send_message(QueueUrl=outputs["QueueUrl"], MessageBody=message)
    assert watched[0] & watched[1] == set()
    assert values[0] & values[1] == {"dev"}  # tables, queues, functions, roles and all else that an output names
    deadline = time.monotonic() + 40
    while len(counted := dict(_stored_by_incident(emulator))) < len(stages):
        emulator.check()
        assert time.monotonic() < deadline, counted
        time.sleep(0.2)
    assert counted == {f"incident{suffix}": f"OPX/Recommendations{suffix}" for suffix in stages}


def _stored_by_incident(emulator: Emulator) -> Iterator[tuple[str, str]]:
    """Yield the incident and the namespace of each metric about a stored recommendation of the two stages."""
    for line in emulator.log.read_text(errors="replace").splitlines():
        if line.startswith('{"_aws":') and '"RecommendationsPersisted":' in line:
            document = json.loads(line)
            if document.get("IncidentId") in ("incident-one", "incident-other"):
                (directive,) = document["_aws"]["CloudWatchMetrics"]
                yield document["IncidentId"], directive["Namespace"]


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


@pytest.mark.parametrize("role", ["Consumer", "Reader", "Curator"])
def test_roles_name_the_table_itself_and_have_their_shared_policies(
    everything: dict[str, str], client_for: Callable[[str], Any], role: str
) -> None:
    """The table's ARN reaches them through a parameter, whose value, not name, must stand in the policies."""
    iam, name = client_for("iam"), everything[f"{role}RoleArn"].rpartition("/")[2]
    (own,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=name, PolicyName=own)["PolicyDocument"]]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    for arn in (policy["PolicyArn"] for policy in attached):
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    assert len(documents) == 1 + 2  # the key for queues and for writing, or the search and the key
    statements = [statement for document in documents for statement in document["Statement"]]
    assert "kms:Decrypt" in _listed(statements, "Action")
    resources = _listed(statements, "Resource")
    tables = {arn.partition("/index/")[0] for arn in resources if arn.startswith("arn:aws:dynamodb:")}
    assert tables - {everything["ReviewsTableArn"]} == {everything["TableArn"]}
    assert everything["TableArn"].endswith(f":table/{everything['TableName']}")


def _listed(statements: list[dict[str, Any]], element: str) -> list[str]:
    values = [statement[element] for statement in statements]
    return [text for value in values for text in ([value] if isinstance(value, str) else value)]


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


def test_a_restored_table_replaces_the_stacks_own_and_takes_what_arrives(
    emulator: Emulator, client_for: Callable[[str], Any], packaged: Callable[[dict[str, str]], Template], deploy: Deploy
) -> None:
    """The steps of the runbook after the restore itself; the stack's own table stays, with its items."""
    dynamodb, suffix = client_for("dynamodb"), {"NameSuffix": "-lost", "VisibilityTimeout": "5"}
    own = deploy(suffix)["TableName"]
    dynamodb.put_item(TableName=own, Item={"recommendationId": {"S": "rec-kept"}})
    described = dynamodb.describe_table(TableName=own)["Table"]
    indexes = described["GlobalSecondaryIndexes"]
    restored = dynamodb.create_table(
        TableName="opx-restored",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=described["KeySchema"],
        AttributeDefinitions=described["AttributeDefinitions"],
        GlobalSecondaryIndexes=[
            {name: index[name] for name in ("IndexName", "KeySchema", "Projection")} for index in indexes
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    parameters = {"RestoredTableName": "opx-restored", "RestoredTableStreamArn": restored["LatestStreamArn"]}
    _update(client_for, emulator, "options-lost", packaged({**suffix, **parameters}))
    (stack,) = client_for("cloudformation").describe_stacks(StackName="options-lost")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs["TableName"] == "opx-restored"
    sent = envelope(incident_id="incident-restored", retention=None)
    client_for("sqs").send_message(QueueUrl=outputs["QueueUrl"], MessageBody=sent.to_json().decode())
    deadline = time.monotonic() + 40
    key = {"recommendationId": {"S": sent.recommendation_id}}
    while "Item" not in dynamodb.get_item(TableName="opx-restored", Key=key):
        emulator.check()
        assert time.monotonic() < deadline, "the consumer does not write to the restored table"
        time.sleep(0.2)
    assert dynamodb.get_item(TableName=own, Key={"recommendationId": {"S": "rec-kept"}})["Item"]
    assert "Item" not in dynamodb.get_item(TableName=own, Key=key)


def _update(client_for: Callable[[str], Any], emulator: Emulator, stack: str, template: Template) -> None:
    cloudformation = client_for("cloudformation")
    cloudformation.update_stack(
        StackName=stack,
        **deployment.upload(client_for, template),
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    _wait_until(cloudformation, emulator, stack, "UPDATE_COMPLETE")


def _wait_until(cloudformation: Any, emulator: Emulator, stack: str, wanted: str) -> None:
    deadline = time.monotonic() + 60
    while (status := cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]) != wanted:
        emulator.check()
        assert "ROLLBACK" not in status, cloudformation.describe_stack_events(StackName=stack)["StackEvents"][:3]
        assert time.monotonic() < deadline, status
        time.sleep(0.1)


def test_changing_only_a_parameter_changes_what_the_queue_invokes(
    emulator: Emulator, client_for: Callable[[str], Any], packaged: Callable[[dict[str, str]], Template], deploy: Deploy
) -> None:
    """The alias moves to a new version with the new value."""
    function = deploy({"NameSuffix": "-changed"})["ConsumerFunctionName"]
    functions = client_for("lambda")
    before = functions.get_alias(FunctionName=function, Name="live")["FunctionVersion"]
    _update(client_for, emulator, "options-changed", packaged({"NameSuffix": "-changed", "LogLevel": "DEBUG"}))
    assert functions.get_alias(FunctionName=function, Name="live")["FunctionVersion"] != before
    invoked = functions.get_function_configuration(FunctionName=function, Qualifier="live")
    assert invoked["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == "DEBUG"
