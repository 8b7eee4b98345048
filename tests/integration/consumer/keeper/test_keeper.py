"""The deployed keeper: the template's filter and role, the consumer's zip, and a real table stream."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infra.local import LocalStack, local_stack
from infra.local.depth import depth
from recommendation_cli.app import recs
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item
from tests.support.kept_letters import take_letters
from tests.support.lambdas.event import body
from tests.support.lambdas.stream_event import expired, stored, stream_event

pytestmark = pytest.mark.stack

BUCKET = "opx-archive"
FOREVER = 36_500  # days


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """A stack with an archive, in whose table nothing else is changed or deleted."""
    with local_stack(port=0, parameters={"ArchiveBucketArn": f"arn:aws:s3:::{BUCKET}"}) as running:
        running.client("s3").create_bucket(Bucket=BUCKET)
        yield running


def _until(stack: LocalStack, what: str, done: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (result := done()):
        stack.check()
        assert time.monotonic() < deadline, f"not within a minute: {what}"
        time.sleep(0.1)
    return result


def _store(stack: LocalStack, text: str) -> dict[str, Any]:
    """Send a message and return its item once the table has it."""
    stack.client("sqs").send_message(QueueUrl=stack.queue_url, MessageBody=text)
    wanted = encode_item(read_envelope(text))
    key = {"recommendationId": {"S": wanted.recommendation_id}}

    def held() -> dict[str, Any]:
        item: dict[str, Any] = (
            stack.client("dynamodb").get_item(TableName=stack.table_name, Key=key, ConsistentRead=True).get("Item", {})
        )
        return item if item.get("contentDigest") == {"S": wanted.digest} else {}

    item: dict[str, Any] = _until(stack, "stored", held)
    return item


def test_replaced_edited_and_deleted_recommendations_become_dead_letters(stack: LocalStack) -> None:
    """Each letter is stored as exactly the item that was lost. Two first deliveries in different batches conflict."""
    dynamodb = stack.client("dynamodb")
    replaced = _store(stack, body("replaced", reasoning="first", retention=FOREVER))
    _store(stack, body("replaced", reasoning="second", retention=FOREVER))
    edited = _store(stack, body("edited", retention=FOREVER))
    dynamodb.update_item(
        TableName=stack.table_name,
        Key={"recommendationId": edited["recommendationId"]},
        UpdateExpression="SET reasoning = :edited",
        ExpressionAttributeValues={":edited": {"S": "by hand"}},
    )
    deleted = _store(stack, body("deleted", retention=FOREVER))
    dynamodb.delete_item(TableName=stack.table_name, Key={"recommendationId": deleted["recommendationId"]})
    letters = {reason: take_letters(stack, reason)[0] for reason in ("IdConflict", "Tampered", "Deleted")}
    kept = {reason: json.loads(encode_item(read_envelope(letter["Body"])).body) for reason, letter in letters.items()}
    assert kept == {"IdConflict": replaced, "Tampered": edited, "Deleted": deleted}
    assert letters["Tampered"]["MessageAttributes"]["failureDetail"]["StringValue"].endswith("; changed: reasoning")

    # Sent back, they restore what was edited and what was deleted; the replaced one stays out.
    for reason in ("Tampered", "Deleted"):
        letter = letters[reason]
        stack.client("sqs").send_message(
            QueueUrl=stack.queue_url, MessageBody=letter["Body"], MessageAttributes=_sendable(letter)
        )
        key = {"recommendationId": kept[reason]["recommendationId"]}
        _until(
            stack,
            f"{reason} is restored",
            lambda: dynamodb.get_item(TableName=stack.table_name, Key=key).get("Item") == kept[reason],  # noqa: B023 - evaluated within this pass of the loop
        )
    (evidence,) = take_letters(stack, "IdConflict")
    assert json.loads(evidence["Body"])["reasoning"] == "by hand"


def _sendable(letter: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {part: value for part, value in attribute.items() if part in ("DataType", "StringValue")}
        for name, attribute in letter["MessageAttributes"].items()
    }


def test_rewriting_the_same_recommendation_invokes_nothing(stack: LocalStack) -> None:
    """A stream has no record of it, and the filter no record of a new item."""
    text = body("rewritten", retention=FOREVER)
    item = _store(stack, text)
    stack.client("dynamodb").put_item(TableName=stack.table_name, Item=item)
    marker = _store(stack, body("marker", retention=FOREVER))
    stack.client("dynamodb").delete_item(
        TableName=stack.table_name, Key={"recommendationId": marker["recommendationId"]}
    )
    (letter,) = take_letters(stack, "Deleted")
    assert json.loads(letter["Body"])["agentType"] == "marker"
    # Letters are sent in the order of the stream, so nothing before this one was kept.
    assert depth(stack.client("sqs"), stack.dlq_url) == 0


def test_expired_recommendations_are_archived_and_the_files_verified(stack: LocalStack, tmp_path: Path) -> None:
    """The emulator's TTL writes no stream record, so the function gets a recorded event, with the deployed role."""
    event = stream_event(expired(stored("one"), 1), expired(stored("two"), 2))
    for _ in range(2):
        answer = stack.client("lambda").invoke(
            FunctionName=stack.outputs["KeeperFunctionName"], Payload=json.dumps(event)
        )
        assert json.loads(answer["Payload"].read()) == {"batchItemFailures": []}
    s3 = stack.client("s3")
    (listed,) = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert listed["Key"].startswith("incidents/dt=2026-01-31/")
    file = tmp_path / "archived.jsonl.gz"
    file.write_bytes(s3.get_object(Bucket=BUCKET, Key=listed["Key"])["Body"].read())
    assert [json.loads(line)["agentType"] for line in gzip.decompress(file.read_bytes()).splitlines()] == ["one", "two"]
    verified = CliRunner().invoke(recs, ["export", "verify", str(file)])
    assert (verified.exit_code, verified.stdout.split(":")[0]) == (0, "2 recommendations verified")
