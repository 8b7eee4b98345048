"""Real calls on every queue and table, for engines that enforce policies."""

import http
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from recommendation_shared.envelope import Envelope
from tests.support.iam.identities import DEAD, DYNAMODB, INDEXES, QUEUE, REVIEWS, REVIEWS_INDEX, TABLE

INCIDENTS: Final = f"{DYNAMODB}/opx-incidents"
EVENTS: Final = f"{DYNAMODB}/opx-incident-events"
DENIED: Final = {"AccessDenied", "AccessDeniedException"}  # SQS answers with status 403, DynamoDB with 400
KEY: Final = {"recommendationId": {"S": "rec-of-the-test"}}
ITEM: Final = {
    **KEY,
    **{name: {"S": "of-the-test"} for name in ("incidentId", "executionId", "agentType", "timestamp")},
}
REVIEW_KEY: Final = {"incidentId": {"S": "incident-of-the-test"}, "reviewId": {"S": "2026-01-31T12:00:00.000000Z/0"}}
REVIEW: Final = {**REVIEW_KEY, "kind": {"S": "incident"}}
BODY: Final = (
    Envelope.create(
        incident_id="incident-of-the-test",
        execution_id="execution-of-the-test",
        agent_type="knowledge-rag",
        timestamp=datetime(2026, 1, 31, 12, tzinfo=UTC),
        recommendation={"action": "roll back"},
        retention=3650,
    )
    .to_json()
    .decode()
)
# They delete nothing that exists, but allowed ones send, hide and store, so each test needs its own engine.
QUEUE_CALLS: Final[dict[str, dict[str, Any]]] = {
    "send_message": {"MessageBody": BODY},
    "send_message_batch": {"Entries": [{"Id": "1", "MessageBody": BODY}]},
    "receive_message": {"VisibilityTimeout": 0},
    "delete_message": {"ReceiptHandle": "of-the-test"},
    "get_queue_attributes": {"AttributeNames": ["All"]},
    "set_queue_attributes": {"Attributes": {"DelaySeconds": "0"}},
    "purge_queue": {},
    "delete_queue": {},
}


def table_calls(key: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the arguments of each operation on a table with this key."""
    return {
        "put_item": {"Item": item},
        "get_item": {"Key": key},
        "update_item": {"Key": key},
        "delete_item": {"Key": key},
        "scan": {},
        "describe_table": {},
        "delete_table": {},
    }


class Call(NamedTuple):
    """One call; IAM decides by `action` and `resource`."""

    service: str
    operation: str
    arguments: dict[str, Any]
    action: str
    resource: str


def calls(queue_url: str, dlq_url: str) -> Iterator[Call]:
    """Yield every operation on every queue and table, including the incident tables."""
    for arn, url in ((QUEUE, queue_url), (DEAD, dlq_url)):
        for operation, arguments in QUEUE_CALLS.items():
            yield Call("sqs", operation, {"QueueUrl": url, **arguments}, _action("sqs", operation), arn)
    for arn in (TABLE, REVIEWS, INCIDENTS, EVENTS):
        name = arn.rpartition("/")[2]
        key, item = (REVIEW_KEY, REVIEW) if arn == REVIEWS else (KEY, ITEM)
        for operation, arguments in table_calls(key, item).items():
            yield Call("dynamodb", operation, {"TableName": name, **arguments}, _action("dynamodb", operation), arn)
        writes = {"RequestItems": {name: [{"PutRequest": {"Item": item}}]}}
        yield Call("dynamodb", "batch_write_item", writes, "dynamodb:BatchWriteItem", arn)
        reads = {"RequestItems": {name: {"Keys": [key]}}}
        yield Call("dynamodb", "batch_get_item", reads, "dynamodb:BatchGetItem", arn)
    for arn in (*INDEXES, REVIEWS_INDEX):
        _, table, _, index = arn.split("/")
        query = {
            "IndexName": index,
            "KeyConditionExpression": "#key = :value",
            "ExpressionAttributeNames": {"#key": index.partition("-")[0]},
            "ExpressionAttributeValues": {":value": {"S": "of-the-test"}},
        }
        yield Call("dynamodb", "query", {"TableName": table, **query}, "dynamodb:Query", arn)


def _action(service: str, operation: str) -> str:
    return f"{service}:{''.join(part.title() for part in operation.removesuffix('_batch').split('_'))}"


def clients_of(endpoint_url: str, session: Mapping[str, str]) -> dict[str, Any]:
    """Return clients with these credentials, by service."""
    return {
        service: botocore.session.Session().create_client(
            service,
            endpoint_url=endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=session["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=session["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=session.get("AWS_SESSION_TOKEN"),
            config=Config(retries={"total_max_attempts": 1}),
        )
        for service in ("sqs", "dynamodb")
    }


def is_allowed(clients: Mapping[str, Any], call: Call) -> bool:
    """Make the call; any answer except a denial counts as allowed."""
    try:
        getattr(clients[call.service], call.operation)(**call.arguments)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return not (status == http.HTTPStatus.FORBIDDEN or error.response["Error"]["Code"] in DENIED)
    return True


def expected(grants: Mapping[str, frozenset[str]], all_calls: Iterable[Call]) -> dict[tuple[str, str], bool]:
    """Return whether each call must be allowed, by operation and resource."""
    return {(call.operation, call.resource): call.action in grants.get(call.resource, ()) for call in all_calls}


def observed(clients: Mapping[str, Any], all_calls: Iterable[Call]) -> dict[tuple[str, str], bool]:
    """Make the calls; return whether each was allowed, by operation and resource."""
    return {(call.operation, call.resource): is_allowed(clients, call) for call in all_calls}
