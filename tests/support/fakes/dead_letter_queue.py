"""A queue and its dead-letter queue in memory, with the SQS calls that `recs dlq` makes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.runtime import Runtime
from recommendation_shared.envelope.writing import write_envelope
from tests.support.fakes.clock import Clock
from tests.support.fakes.recommendation_table import COMPLETED, FakeDynamoDb

DLQ = "https://sqs.us-east-1.amazonaws.com/123456789012/recommendations-dlq"
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/recommendations"
DLQ_ARN, QUEUE_ARN = ("arn:aws:sqs:us-east-1:123456789012:" + url.rpartition("/")[2] for url in (DLQ, QUEUE))
URLS = ("--dlq-url", DLQ, "--queue-url", QUEUE)
REDRIVE_POLICY = json.dumps({"deadLetterTargetArn": DLQ_ARN, "maxReceiveCount": 5})


def body(number: int = 0, **fields: Any) -> str:
    """Return the body of a valid message with a unique ID."""
    arguments: dict[str, Any] = {
        "incident_id": "incident-7",
        "execution_id": "execution-1",
        "agent_type": "consensus",
        "timestamp": COMPLETED.replace(microsecond=number),
        "recommendation": {"recommended_action": "a-secret-action"},
        **fields,
    }
    return write_envelope(**arguments).body.decode()


def text_attributes(**values: str) -> dict[str, Any]:
    """Return message attributes of type String."""
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


@dataclass
class Stored:
    """A message in a queue."""

    message_id: str
    body: str
    attributes: dict[str, Any]
    system: dict[str, str]
    visible_at: float = 0.0
    receives: int = 0
    receipts: set[str] = field(default_factory=set)


class FakeSqs:
    """The calls of botocore's client that `recs dlq` makes, with SQS's limits. It has no move tasks.

    When sent, `refused` bodies are listed as `Failed`, and `unconfirmed` bodies are not listed at all. When deleted,
    messages with `undeletable` IDs are listed as `Failed`. `failing` maps a call's name to the error it raises.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.queues: dict[str, list[Stored]] = {DLQ: [], QUEUE: []}
        self.calls: list[str] = []
        self.sent_batches: list[int] = []
        self.refused: set[str] = set()
        self.unconfirmed: set[str] = set()
        self.undeletable: set[str] = set()
        self.failing: dict[str, BaseException] = {}
        self.policies = {QUEUE: REDRIVE_POLICY}
        self._numbers = count(1)

    def put(self, text: str, attributes: Mapping[str, Any] | None = None, *, age: float = 3600, **system: str) -> str:
        """Put a dead letter into the dead-letter queue, sent `age` seconds ago; return its message ID."""
        sent = str(int((self.clock.now() - age) * 1000))
        stored = Stored(f"dead-{next(self._numbers)}", text, dict(attributes or {}), {"SentTimestamp": sent, **system})
        self.queues[DLQ].append(stored)
        return stored.message_id

    def bodies(self, url: str) -> list[str]:
        """Return the bodies of a queue's messages."""
        return [stored.body for stored in self.queues[url]]

    def hidden(self, url: str) -> int:
        """Return how many messages of a queue are in flight."""
        return sum(stored.visible_at > self.clock.passed for stored in self.queues[url])

    def get_queue_attributes(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the depth, as SQS does."""
        url = self.record_call("get_queue_attributes", parameters)
        hidden = self.hidden(url)
        own = self.policies.get(url, "")
        policy = {"RedrivePolicy": own} if own else {}
        return {
            "Attributes": {
                "QueueArn": QUEUE_ARN if url == QUEUE else DLQ_ARN,
                "ApproximateNumberOfMessages": str(len(self.queues[url]) - hidden),
                "ApproximateNumberOfMessagesNotVisible": str(hidden),
                "ApproximateNumberOfMessagesDelayed": "0",
                "MessageRetentionPeriod": "1209600",
                **policy,
            }
        }

    def list_dead_letter_source_queues(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the queues whose redrive policy names this one."""
        arn = QUEUE_ARN if self.record_call("list_dead_letter_source_queues", parameters) == QUEUE else DLQ_ARN
        named = (url for url, policy in self.policies.items() if policy)
        return {"queueUrls": [url for url in named if json.loads(self.policies[url])["deadLetterTargetArn"] == arn]}

    def receive_message(self, **parameters: Any) -> Mapping[str, Any]:
        """Hide and return visible messages."""
        url = self.record_call("receive_message", parameters)
        assert 1 <= parameters["MaxNumberOfMessages"] <= 10
        assert parameters["WaitTimeSeconds"] > 0, "a short poll may miss messages"
        visible = [stored for stored in self.queues[url] if stored.visible_at <= self.clock.passed]
        messages = []
        for stored in visible[: parameters["MaxNumberOfMessages"]]:
            stored.visible_at = self.clock.passed + parameters["VisibilityTimeout"]
            stored.receives += 1
            receipt = f"{stored.message_id}/{stored.receives}"
            stored.receipts.add(receipt)
            system = {**stored.system, "ApproximateReceiveCount": str(5 + stored.receives)}
            message = {"MessageId": stored.message_id, "ReceiptHandle": receipt, "Body": stored.body}
            attributes = {"MessageAttributes": stored.attributes} if stored.attributes else {}
            messages.append({**message, "Attributes": system, **attributes})
        return {"Messages": messages} if messages else {}

    def send_message_batch(self, **parameters: Any) -> Mapping[str, Any]:
        """Accept a request within SQS's limits."""
        url, entries = self.record_call("send_message_batch", parameters), parameters["Entries"]
        assert 1 <= len(entries) == len({entry["Id"] for entry in entries}) <= 10
        assert sum(map(_bytes, entries)) <= 1_048_576
        self.sent_batches.append(len(entries))
        answer: dict[str, list[Any]] = {"Successful": [], "Failed": []}
        for entry in entries:
            assert len(entry.get("MessageAttributes", {})) <= 10
            if entry["MessageBody"] in self.refused:
                answer["Failed"].append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
                continue
            new = Stored(f"new-{next(self._numbers)}", entry["MessageBody"], entry.get("MessageAttributes", {}), {})
            new.system.update(
                {name: value["StringValue"] for name, value in entry.get("MessageSystemAttributes", {}).items()}
            )
            self.queues[url].append(new)
            if entry["MessageBody"] not in self.unconfirmed:
                answer["Successful"].append({"Id": entry["Id"], "MessageId": new.message_id})
        return answer

    def delete_message_batch(self, **parameters: Any) -> Mapping[str, Any]:
        """Delete by receipt."""
        return self._by_receipt("delete_message_batch", parameters, self._delete)

    def change_message_visibility_batch(self, **parameters: Any) -> Mapping[str, Any]:
        """Change when messages become visible again."""
        return self._by_receipt("change_message_visibility_batch", parameters, self._change)

    def list_message_move_tasks(self, **_parameters: Any) -> Mapping[str, Any]:
        """Refuse, as MiniStack does."""
        raise error("InvalidAction", "ListMessageMoveTasks")

    start_message_move_task = cancel_message_move_task = list_message_move_tasks

    def record_call(self, name: str, parameters: Mapping[str, Any]) -> str:
        """Record a call before it takes effect; raise its error if it is `failing`, else return its queue's URL."""
        self.calls.append(name)
        if name in self.failing:
            raise self.failing[name]
        return str(parameters["QueueUrl"])

    def _by_receipt(self, name: str, parameters: Mapping[str, Any], act: Any) -> Mapping[str, Any]:
        url = self.record_call(name, parameters)
        assert 1 <= len(parameters["Entries"]) <= 10
        answer: dict[str, list[Any]] = {"Successful": [], "Failed": []}
        for entry in parameters["Entries"]:
            message = next(stored for stored in self.queues[url] if entry["ReceiptHandle"] in stored.receipts)
            done = act(url, message, entry)
            answer["Successful" if done else "Failed"].append({"Id": entry["Id"]})
        return answer

    def _delete(self, url: str, stored: Stored, _entry: Any) -> bool:
        if stored.message_id in self.undeletable:
            return False
        self.queues[url].remove(stored)
        return True

    def _change(self, _url: str, stored: Stored, entry: Any) -> bool:
        stored.visible_at = self.clock.passed + entry["VisibilityTimeout"]
        return True


def _bytes(entry: Mapping[str, Any]) -> int:
    attributes: Iterator[tuple[str, Any]] = iter(entry.get("MessageAttributes", {}).items())
    sizes = (len(name) + sum(map(len, attribute.values())) for name, attribute in attributes)
    return len(entry["MessageBody"].encode()) + sum(sizes)


def error(code: str, operation: str = "SendMessageBatch", message: str = "as it says") -> ClientError:
    """Return what botocore raises for an AWS error."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def run(sqs: Any, folder: Path, *args: str, clock: Clock | None = None, urls: tuple[str, ...] = URLS) -> Result:
    """Run `recs dlq` with a folder for its journals."""
    clock = clock or getattr(sqs, "clock", None) or Clock()
    runtime = Runtime(
        now=clock.now,
        environ={"XDG_STATE_HOME": str(folder)},
        connect=lambda _target: FakeDynamoDb(),
        connect_queues=lambda _target: sqs,
        monotonic=clock.monotonic,
        sleep=clock.sleep,
    )
    return CliRunner().invoke(recs, ["dlq", *args, *urls], obj=runtime)


def journal_lines(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of the only journal in a state folder."""
    (path,) = Path(folder, "recs").glob("*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]
