"""A scripted queue for the producer's tests: it reacts call by call, and records what arrived."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from recommendation_producer import Balance, RecommendationProducer

Entries = list[dict[str, Any]]
Answer = Mapping[str, Any]
Reaction = BaseException | Callable[[Entries], Answer] | None

QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/opx-recommendations"
NOTHING_HANGS = 20.0  # seconds; a flush that takes as long has lost an envelope


class FakeQueue:
    """Is its own client. Each call takes the next reaction: an error to raise, a response, or None for success."""

    def __init__(self, *reactions: Reaction) -> None:
        self._reactions = list(reactions)
        self.calls: list[list[str]] = []
        self.arrived: list[str] = []
        self.clients = 0
        self.threads: set[threading.Thread] = set()

    def react(self, reaction: Reaction) -> None:
        """Append the reaction to one more call."""
        self._reactions.append(reaction)

    def forget(self) -> None:
        """Drop the scripted reactions, and what arrived so far."""
        self._reactions.clear()
        self.arrived.clear()

    def client(self) -> "FakeQueue":
        """Stand in for the factory of the client."""
        self.clients += 1
        return self

    def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:
        """React as scripted, and then always succeed."""
        assert QueueUrl == QUEUE_URL
        self.threads.add(threading.current_thread())
        self.calls.append([entry["MessageBody"] for entry in Entries])
        reaction = self._reactions.pop(0) if self._reactions else None
        if isinstance(reaction, BaseException):
            raise reaction
        response = {"Successful": [{"Id": entry["Id"]} for entry in Entries]} if reaction is None else reaction(Entries)
        successful = {result["Id"] for result in response.get("Successful", ())}
        self.arrived += [entry["MessageBody"] for entry in Entries if entry["Id"] in successful]
        return response

    def arrived_ids(self) -> list[str]:
        """Return the recommendation IDs in the order of arrival."""
        return [json.loads(body)["recommendationId"] for body in self.arrived]


class BlackHole(FakeQueue):
    """Never responds; `asked` is set once the first call has been made."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:
        """Wait forever."""
        self.calls.append([QueueUrl, *(entry["Id"] for entry in Entries)])
        self.asked.set()
        threading.Event().wait()
        raise AssertionError


def aws_error(code: str, status: int) -> ClientError:
    """Return the error that botocore raises for a response with this code and HTTP status."""
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "SendMessageBatch")


def failing(codes: Mapping[int, tuple[str, bool]]) -> Callable[[Entries], Answer]:
    """Return a reaction with `Failed` entries; `codes` maps their positions to (code, sender's fault)."""

    def respond(entries: Entries) -> Answer:
        return {
            "Successful": [{"Id": entry["Id"]} for position, entry in enumerate(entries) if position not in codes],
            "Failed": [
                {"Id": entries[position]["Id"], "Code": code, "SenderFault": fault}
                for position, (code, fault) in codes.items()
            ],
        }

    return respond


def recommendation(number: int = 0, **changes: Any) -> dict[str, Any]:
    """Return the arguments of `enqueue` for the envelope with this number, which gives it a unique ID."""
    return {
        "incident_id": "incident-1",
        "execution_id": "execution-1",
        "agent_type": "signal-intelligence",
        "timestamp": f"2026-01-31T12:00:00.{number:06d}Z",
        "recommendation": {"number": number},
        **changes,
    }


def balanced(balance: Balance) -> bool:
    """Return whether every envelope that was enqueued is accounted for."""
    return balance.accepted == balance.sent + sum(balance.dropped.values()) + balance.pending


@contextmanager
def running_producer(queue: FakeQueue, **options: Any) -> Iterator[RecommendationProducer]:
    """Yield a producer that retries without delay; at the end, close it and check its balance."""
    producer = RecommendationProducer(QUEUE_URL, **{"client_factory": queue.client, "jitter": lambda: 0.0, **options})
    try:
        yield producer
    finally:
        final = producer.close(timeout=0)
    assert balanced(final)
    assert final.pending == 0
    assert final.sent == len(queue.arrived)
