"""DynamoDB, SQS and a credentials endpoint for the consumer, on 127.0.0.1: they fail on demand."""

import contextlib
import json
import threading
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any, Final, NamedTuple

from infra.local.serving import serving
from tests.support.servers.http_server import Headers, HttpConnection, HttpServer

HANG: Final = "reads the request and never responds"
DRIP: Final = "responds one byte at a time, forever"
RESET: Final = "resets the connection before acting"
LOSE: Final = "acts, and resets the connection before responding"
STALL: Final = "acts, and never responds"


class Answer(NamedTuple):
    """A response to send in place of a successful one."""

    status: int
    body: bytes
    headers: Headers = ()


def dynamodb_error(code: str, status: int = 400, **members: Any) -> Answer:
    """Return an error in DynamoDB's format, with further members."""
    return Answer(status, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", **members}).encode())


def sqs_error(code: str, status: int = 400) -> Answer:
    """Return an error in the format of SQS's JSON protocol, with the code of its older query protocol."""
    document = json.dumps({"__type": f"com.amazonaws.sqs#{code}"}).encode()
    return Answer(status, document, (("x-amzn-query-error", f"{code};Sender"),))


Fault = Answer | str  # a response, or a constant above


class Service:
    """How a service behaves: each request takes the next of `faults`, and then always `last`. None is success."""

    def __init__(self) -> None:
        self.faults: deque[Fault | None] = deque()
        self.last: Fault | None = None
        self.requests: list[dict[str, Any]] = []

    def next_fault(self) -> Fault | None:
        """Return the fault of the next request."""
        return self.faults.popleft() if self.faults else self.last


class AwsServer(HttpServer):
    """Every request succeeds, except as `table`, `queue` and the other attributes say.

    `marks` stands for the table's index, which a sandbox reads before its first batch: no incident is marked.
    """

    def __init__(self) -> None:
        super().__init__(_Connection)
        self.dlq_url = f"{self.url}/123456789012/dead-letters"
        self.credentials_url = f"{self.url}/credentials"
        self.done = threading.Event()
        self.reset()

    def reset(self) -> None:
        """Make every request succeed, and forget what was stored."""
        self.table, self.marks, self.queue = Service(), Service(), Service()
        self.items: dict[str, dict[str, Any]] = {}
        self.dead_letters: list[dict[str, Any]] = []
        self.refused_bodies: set[str] = set()  # bodies returned under `Failed`
        self.most_items: int | None = None  # in a request; a larger one gets HTTP 413
        self.most_characters: int | None = None  # as above, in its items' text
        self.access_key = "test"  # that the credentials endpoint returns
        self.trusted_key: str | None = None  # the only access key that has not expired; None trusts all

    def let_go(self) -> None:
        """Release the requests that hang or drip."""
        self.done.set()

    def bodies(self) -> list[str]:
        """Return the bodies of the dead letters."""
        return [entry["MessageBody"] for entry in self.dead_letters]


class _Connection(HttpConnection):
    server: AwsServer

    def do_GET(self) -> None:
        expires = datetime.now(UTC) + timedelta(minutes=5)  # so soon that botocore renews them before each request
        document = {
            "AccessKeyId": self.server.access_key,
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self.respond(200, json.dumps(document).encode())

    def do_POST(self) -> None:
        request = self.read_json()
        is_query = self.headers["X-Amz-Target"] == "DynamoDB_20120810.Query"
        is_table = self.headers["X-Amz-Target"].startswith("DynamoDB_20120810.") and not is_query
        service = self.server.table if is_table else self.server.marks if is_query else self.server.queue
        fault = service.next_fault() or self._own_fault(request, is_table=is_table)
        if fault is None and is_table and self._conflicts(request):
            fault = dynamodb_error("ConditionalCheckFailedException", message="The conditional request failed")
        acts = fault in (None, LOSE, STALL)
        act = self._write if is_table else self._no_marks if is_query else self._send
        document = act(request) if acts else {}
        service.requests.append(request)  # only now, so that a recorded request has had its effect
        if isinstance(fault, Answer):
            self.respond(*fault)
        elif fault in (HANG, STALL):
            self.server.done.wait()
            self.close_connection = True
        elif fault == DRIP:
            self.drip(lambda: not self.server.done.is_set())
        elif fault in (RESET, LOSE):
            self.reset()
        else:
            self.respond(200, json.dumps(document).encode())

    def _own_fault(self, request: dict[str, Any], *, is_table: bool) -> Answer | None:
        trusted = self.server.trusted_key
        if trusted is not None and not self.is_signed_with(trusted):
            return dynamodb_error("ExpiredTokenException", message="The security token included is expired")
        if is_table and self._is_too_large(_items(request)):
            return Answer(413, b"")
        return None

    def _is_too_large(self, items: list[dict[str, Any]]) -> bool:
        most_items, most_characters = self.server.most_items, self.server.most_characters
        too_many = most_items is not None and len(items) > most_items
        return too_many or (most_characters is not None and len(json.dumps(items)) > most_characters)

    def _conflicts(self, request: dict[str, Any]) -> bool:
        """Return whether the condition of a PutItem fails: the writer's, or the one of the table check."""
        if "ConditionExpression" not in request:
            return False
        if request["ConditionExpression"] == "attribute_exists(recommendationId)":
            return True
        held = self.server.items.get(request["Item"]["recommendationId"]["S"])
        return held is not None and held["contentDigest"] != request["ExpressionAttributeValues"][":digest"]

    def _write(self, request: dict[str, Any]) -> dict[str, Any]:
        for item in _items(request):
            self.server.items[item["recommendationId"]["S"]] = item
        return {"UnprocessedItems": {}} if "RequestItems" in request else {"ConsumedCapacity": {"CapacityUnits": 1.0}}

    def _no_marks(self, _request: dict[str, Any]) -> dict[str, Any]:
        return {"Items": [], "Count": 0}

    def _send(self, request: dict[str, Any]) -> dict[str, Any]:
        results: dict[str, list[dict[str, Any]]] = {"Successful": [], "Failed": []}
        for entry in request["Entries"]:
            if entry["MessageBody"] in self.server.refused_bodies:
                results["Failed"].append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
                continue
            self.server.dead_letters.append(entry)
            digest = md5(entry["MessageBody"].encode()).hexdigest()  # noqa: S324 - SQS's checksum
            results["Successful"].append({"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": digest})
        return results


def _items(request: dict[str, Any]) -> list[dict[str, Any]]:
    if "Item" in request:
        return [request["Item"]]
    (puts,) = request["RequestItems"].values()
    return [put["PutRequest"]["Item"] for put in puts]


@contextlib.contextmanager
def aws_server() -> Iterator[AwsServer]:
    """Run a server until the end of the block."""
    server = AwsServer()
    with serving(server):
        yield server
