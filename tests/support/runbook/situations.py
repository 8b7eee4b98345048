"""What has happened when somebody opens the runbook at a section: one generator for each section with commands.

Each runs to its first `yield` before the section's first block, and to the next `yield` after every block.
"""

import json
from collections.abc import Callable, Generator
from typing import Final

from examples.alarms.refusing_table import publish_consumer
from tests.support.kept_letters import take_letters
from tests.support.runbook.world import EXECUTOR, World

Situation = Generator[None, None, None]


def poison_arrived(world: World) -> Situation:
    """One message is not JSON, and its alarm has fired."""
    world.send("roll back, quickly")
    world.until_dead(1)
    world.stack.client("cloudwatch").set_alarm_state(
        AlarmName="RecommendationDeadLetterQueueNotEmpty",
        StateValue="ALARM",
        StateReason="Threshold Crossed: 1 datapoint (1.0) was greater than the threshold (0.0).",
    )
    yield


def newer_executor(world: World) -> Situation:
    """An executor sends a schema version that the consumer does not know."""
    world.send(world.body("newer", schemaVersion=2))
    world.until_logged("UnknownSchemaVersion")
    yield
    world.sqs.purge_queue(QueueUrl=world.stack.queue_url)


def table_throttles(world: World) -> Situation:
    """DynamoDB throttles a write three times and then accepts it."""
    world.table.left = 3
    world.send(world.body("throttled"))
    world.until_logged("DynamoDB throttled")
    world.until_empty()
    yield


def poison_of_two_kinds(world: World) -> Situation:
    """There is a second dead letter, an envelope with an invalid field."""
    world.send(world.body("wrong-citations", citations=7))
    world.until_dead(2)
    yield


def consumer_stopped(world: World) -> Situation:
    """Somebody has disabled the event source mapping, and three recommendations wait."""
    mapping = {"UUID": world.stack.mapping_id}
    world.functions.update_event_source_mapping(**mapping, Enabled=False)
    world.send(*[world.body(f"waiting-{number}") for number in range(3)])
    for _ in range(4):
        yield
    world.functions.update_event_source_mapping(**mapping, Enabled=True, ScalingConfig={"MaximumConcurrency": 2})
    yield
    assert all(world.stored(f"waiting-{number}") for number in range(3))


def writes_denied(world: World) -> Situation:
    """Somebody has changed the consumer's role by hand."""
    allow = world.deny_writes()
    world.send(world.body("denied"))
    world.until_logged("AccessDeniedException")
    yield
    allow()
    world.until("stored once the permission is back", lambda: world.stored("denied"))
    world.until_empty()


def permission_missing(world: World) -> Situation:
    """The consumer's role has changed in the same way, and `recs doctor` inspects it."""
    allow = world.deny_writes()
    yield
    allow()


def queue_misspelt(world: World) -> Situation:
    """The executor was deployed with the URL of a queue that does not exist."""
    world.deploy_executor(f"{world.stack.queue_url}-misspelt")
    assert world.run_executor() == "incident handled"
    world.until_logged("RecommendationsDropped", EXECUTOR)
    yield


def recommendation_altered(world: World) -> Situation:
    """Somebody deleted an item, as the stack did with its own test message when it started."""
    _delete_stored(world, "altered")
    yield
    take_letters(world.stack, "Deleted")


def _delete_stored(world: World, execution: str) -> None:
    body = world.body(execution, agent_type="consensus", reasoning="deleted by mistake")
    world.store(body)
    world.stack.client("dynamodb").delete_item(
        TableName=world.stack.table_name, Key={"recommendationId": {"S": json.loads(body)["recommendationId"]}}
    )
    world.until_dead(3)


def recommendation_overwritten(world: World) -> Situation:
    """Two executors reported the same agent at the same instant, in different batches."""
    first = world.body("overwritten", reasoning="first opinion")
    world.store(first)
    world.store(json.dumps({**json.loads(first), "reasoning": "second opinion"}))
    world.until_dead(3)
    yield
    take_letters(world.stack, "IdConflict")


def recommendation_tampered(world: World) -> Situation:
    """Somebody edited an item in the console."""
    original = world.body("tampered", reasoning="what the agent said")
    world.store(original)
    world.stack.client("dynamodb").update_item(
        TableName=world.stack.table_name,
        Key={"recommendationId": {"S": json.loads(original)["recommendationId"]}},
        UpdateExpression="SET reasoning = :edited",
        ExpressionAttributeValues={":edited": {"S": "altered by hand"}},
    )
    world.until_dead(3)
    yield
    yield
    yield
    take_letters(world.stack, "IdConflict")


def recommendation_deleted(world: World) -> Situation:
    """Somebody deleted an item in the console."""
    _delete_stored(world, "deleted")
    yield
    yield
    world.until("stored again", lambda: world.stored("deleted"))


def keeper_gave_up(world: World) -> Situation:
    """The mapping has reported a batch to the failure queue, in the form that Lambda documents."""
    batch = {
        "shardId": "shardId-00000001769947200000-5d0e1f2a",
        "startSequenceNumber": "4421584500000000025478",
        "endSequenceNumber": "4421584500000000025490",
        "batchSize": 13,
        "streamArn": "arn:aws:dynamodb:us-east-1:000000000000:table/opx-agent-recommendations/stream/one",
    }
    world.sqs.send_message(
        QueueUrl=world.stack.outputs["KeeperFailureQueueUrl"], MessageBody=json.dumps({"DDBStreamBatchInfo": batch})
    )
    yield


def retries_exhausted(world: World) -> Situation:
    """Two recommendations failed five times in an outage, so SQS moved them, without a reason."""
    for number in (1, 2):
        body = world.body(f"execution-redriven-{number}")
        world.sqs.send_message(QueueUrl=world.stack.dlq_url, MessageBody=body)
    # Delete everything else, so that the page shows only these two.
    dynamodb = world.stack.client("dynamodb")
    items = dynamodb.scan(TableName=world.stack.table_name)["Items"]
    for item in items:
        dynamodb.delete_item(TableName=world.stack.table_name, Key={"recommendationId": item["recommendationId"]})
    take_letters(world.stack, "Deleted", len(items))
    yield


def poison_saved(world: World) -> Situation:
    """The envelope with the invalid field is still in the dead-letter queue."""
    assert not world.stored("wrong-citations")
    yield
    yield
    world.until("the repaired one is stored", lambda: world.stored("wrong-citations"))
    yield
    world.until_dead(1)


def loss_alarm_fires(world: World) -> Situation:
    """One of the alarms on losses has fired, beside one that is for a ticket."""
    alarms, name = world.stack.client("cloudwatch"), "RecommendationKeeperFailed"
    alarms.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="Threshold Crossed")
    yield
    alarms.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="Threshold Crossed")


def nothing_special(_: World) -> Situation:
    """Nothing is wrong."""
    yield


def bad_deployment(world: World) -> Situation:
    """The live version lacks a setting and cannot start."""
    assert publish_consumer(world.stack, RECOMMENDATIONS_DLQ_URL=None) == "3"
    world.send(world.body("deployed"))
    # Read from the emulator's log: what a function prints before its first invocation is not in its log group.
    world.until("the consumer cannot start", lambda: "DLQ_URL is not set" in world.stack.log_path.read_text())
    assert not world.stored("deployed")
    yield
    yield
    world.until("stored by the previous version", lambda: world.stored("deployed"))


def executor_works(world: World) -> Situation:
    """The executor sends to the right queue, is switched off and on, and gives the same result throughout."""
    world.functions.update_function_configuration(
        FunctionName=EXECUTOR,
        Environment={
            "Variables": {"RECOMMENDATIONS_QUEUE_URL": world.stack.queue_url, "INCIDENT_TABLE": "opx-incidents"}
        },
    )
    assert world.run_executor() == "incident handled"
    world.until("sent and stored", lambda: world.stored("of-the-executor"))
    yield
    assert world.run_executor() == "incident handled"
    world.until_logged('"Reason":"not_configured"', EXECUTOR)
    yield
    assert world.run_executor() == "incident handled"


SITUATIONS: Final[dict[str, Callable[[World], Situation]]] = {
    "first-five-minutes": poison_arrived,
    "highrecommendationpersistencefailurerate": newer_executor,
    "persistentrecommendationthrottling": table_throttles,
    "recommendationdeadletterqueuenotempty": poison_of_two_kinds,
    "recommendationsnotpersisted": consumer_stopped,
    "recommendationdeadlettersexpiring": nothing_special,
    "recommendationqueuenearretention": nothing_special,
    "recommendationconsumerneartimeout": nothing_special,
    "recommendationconsumerthrottled": nothing_special,
    "recommendationconsumererrors": writes_denied,
    "recommendationsbeinglost": loss_alarm_fires,
    "recommendationsdropped": queue_misspelt,
    "recommendationaltered": recommendation_altered,
    "recommendationoverwritten": recommendation_overwritten,
    "recommendationtampered": recommendation_tampered,
    "recommendationdeleted": recommendation_deleted,
    "recommendationkeeperfailed": keeper_gave_up,
    "redrive-once-the-cause-is-fixed": retries_exhausted,
    "examine-poison": poison_saved,
    "stop-and-resume-the-consumer": nothing_special,
    "roll-back-a-deployment": bad_deployment,
    "access-denied-and-credentials": permission_missing,
    "restore-the-table": nothing_special,
    "restore-reviews": nothing_special,
    "switch-persistence-off-in-the-executor": executor_works,
    "a-bill-that-surprises": nothing_special,
}
