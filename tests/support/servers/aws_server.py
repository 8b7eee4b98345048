"""BatchWriteItem, PutItem, SendMessageBatch and a credentials endpoint on 127.0.0.1 that fail when they are told to."""

import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any, Final, NamedTuple

from infra.local.serving import serving
from tests.support.servers.tracked_server import TrackedConnection, TrackedServer

HANG: Final = "takes the request and never answers"
CRAWL: Final = "answers a byte every 50 ms, for ever"
RESET: Final = "breaks the connection before anything is done"
LOSE: Final = "does what is asked, and breaks the connection before it answers"
STALL: Final = "does what is asked, and never answers"
_CRAWL_INTERVAL: Final = 0.05  # seconds


class Answer(NamedTuple):
    """An answer that is no success."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def dynamodb_error(code: str, status: int = 400, **members: Any) -> Answer:
    """Return an error as DynamoDB spells it."""
    return Answer(status, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", **members}).encode())


def sqs_error(code: str, status: int = 400) -> Answer:
    """Return an error as the JSON protocol of SQS spells it, with the name that its older protocol had."""
    document = json.dumps({"__type": f"com.amazonaws.sqs#{code}"}).encode()
    return Answer(status, document, (("x-amzn-query-error", f"{code};Sender"),))


Fault = Answer | str  # one of the words above


class Service:
    """What one service does: `faults` are taken in order, one a request, then `last` for ever, None being health."""

    def __init__(self) -> None:
        self.faults: deque[Fault | None] = deque()
        self.last: Fault | None = None
        self.requests: list[dict[str, Any]] = []

    def next_fault(self) -> Fault | None:
        """Return what befalls the next request."""
        return self.faults.popleft() if self.faults else self.last


class AwsServer(TrackedServer):
    """Healthy until `table.faults`, `queue.faults` and the like say otherwise."""

    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(_Connection)
        self.dlq_url = f"{self.url}/123456789012/dead-letters"
        self.credentials_url = f"{self.url}/credentials"
        self.done = threading.Event()
        self.reset()

    def reset(self) -> None:
        """Be healthy, and forget what was stored."""
        self.table, self.queue = Service(), Service()
        self.items: dict[str, dict[str, Any]] = {}
        self.dead_letters: list[dict[str, Any]] = []
        self.refused_bodies: set[str] = set()  # dead letters that come back under `Failed`
        self.most_items: int | None = None  # of a request; more are too large (HTTP 413)
        self.access_key = "test"  # what the credentials endpoint gives out
        self.trusted_key: str | None = None  # the only access key that is not expired

    def let_go(self) -> None:
        """End the wait of requests that hang or crawl."""
        self.done.set()

    def bodies(self) -> list[str]:
        """Return the bodies of the dead letters."""
        return [entry["MessageBody"] for entry in self.dead_letters]


class _Connection(TrackedConnection):
    disable_nagle_algorithm = True  # else each answer of two writes takes 40 ms
    server: AwsServer

    def do_GET(self) -> None:  # noqa: N802 - as http.server calls it
        expires = datetime.now(UTC) + timedelta(minutes=5)  # so soon that botocore asks again before each request
        document = {
            "AccessKeyId": self.server.access_key,
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self._answer(Answer(200, json.dumps(document).encode()))

    def do_POST(self) -> None:  # noqa: N802 - as http.server calls it
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_table = self.headers["X-Amz-Target"].startswith("DynamoDB_20120810.")
        service = self.server.table if is_table else self.server.queue
        fault = service.next_fault() or self._own_fault(request, is_table=is_table)
        if fault is None and is_table and self._conflicts(request):
            fault = dynamodb_error("ConditionalCheckFailedException", message="The conditional request failed")
        does = fault in (None, LOSE, STALL)
        document = (self._write if is_table else self._send)(request) if does else {}
        service.requests.append(request)  # what is in here was done
        if isinstance(fault, Answer):
            self._answer(fault)
        elif fault in (HANG, STALL):
            self.server.done.wait()
            self.close_connection = True
        elif fault == CRAWL:
            self._crawl()
        elif fault in (RESET, LOSE):
            self.reset()
        else:
            self._answer(Answer(200, json.dumps(document).encode()))

    def _own_fault(self, request: dict[str, Any], *, is_table: bool) -> Answer | None:
        trusted = self.server.trusted_key
        if trusted is not None and f"Credential={trusted}/" not in self.headers["Authorization"]:
            return dynamodb_error("ExpiredTokenException", message="The security token included is expired")
        most = self.server.most_items
        if is_table and most is not None and len(_items(request)) > most:
            return Answer(413, b"")
        return None

    def _conflicts(self, request: dict[str, Any]) -> bool:
        """Tell whether the condition of a PutItem fails, the only one that the consumer makes."""
        if "ConditionExpression" not in request:
            return False
        held = self.server.items.get(request["Item"]["recommendationId"]["S"])
        return held is not None and held["contentDigest"] != request["ExpressionAttributeValues"][":digest"]

    def _write(self, request: dict[str, Any]) -> dict[str, Any]:
        for item in _items(request):
            self.server.items[item["recommendationId"]["S"]] = item
        return {"UnprocessedItems": {}} if "RequestItems" in request else {"ConsumedCapacity": {"CapacityUnits": 1.0}}

    def _send(self, request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, list[dict[str, Any]]] = {"Successful": [], "Failed": []}
        for entry in request["Entries"]:
            if entry["MessageBody"] in self.server.refused_bodies:
                answer["Failed"].append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
                continue
            self.server.dead_letters.append(entry)
            digest = md5(entry["MessageBody"].encode()).hexdigest()  # noqa: S324 - SQS's checksum
            answer["Successful"].append({"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": digest})
        return answer

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _crawl(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        while not self.server.done.is_set():
            self.wfile.write(b" ")
            time.sleep(_CRAWL_INTERVAL)
        self.close_connection = True


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
