"""A queue for the producer's tests: it answers as it was told to, call by call, and remembers what arrived."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from botocore.exceptions import ClientError

from recommendation_producer import Balance, RecommendationProducer

Entries = list[dict[str, Any]]
Answer = Mapping[str, Any]
Reaction = BaseException | Callable[[Entries], Answer] | None

QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/opx-recommendations"
NOTHING_HANGS = 20.0  # seconds; a flush that needs as long has lost an envelope


class FakeQueue:
    """Plays the client too. Each call takes the next reaction: an error to raise, an answer, or None for success."""

    def __init__(self, *reactions: Reaction) -> None:
        self._reactions = list(reactions)
        self.calls: list[list[str]] = []
        self.arrived: list[str] = []
        self.clients = 0
        self.threads: set[threading.Thread] = set()

    @asynccontextmanager
    async def client(self) -> AsyncIterator["FakeQueue"]:
        """Stand in for the client's context."""
        self.clients += 1
        yield self

    async def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:  # noqa: N803 - boto3's names
        """React as scripted, then succeed for ever."""
        assert QueueUrl == QUEUE_URL
        self.threads.add(threading.current_thread())
        self.calls.append([entry["MessageBody"] for entry in Entries])
        reaction = self._reactions.pop(0) if self._reactions else None
        if isinstance(reaction, BaseException):
            raise reaction
        answer = {"Successful": [{"Id": entry["Id"]} for entry in Entries]} if reaction is None else reaction(Entries)
        successful = {one["Id"] for one in answer.get("Successful", ())}
        self.arrived += [entry["MessageBody"] for entry in Entries if entry["Id"] in successful]
        return answer

    def arrived_ids(self) -> list[str]:
        """Return the recommendation IDs in the order of arrival."""
        return [json.loads(body)["recommendationId"] for body in self.arrived]


class BlackHole(FakeQueue):
    """Never answers, as a socket into nowhere; `asked` is set when the first call is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    async def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:  # noqa: N803 - boto3's names
        """Wait for ever."""
        self.calls.append([QueueUrl, *(entry["Id"] for entry in Entries)])
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError


def aws_error(code: str, status: int) -> ClientError:
    """Return what botocore raises for an answer of that code and HTTP status."""
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "SendMessageBatch")


def failing(codes: Mapping[int, tuple[str, bool]]) -> Callable[[Entries], Answer]:
    """Answer 200 with `Failed` entries: position to (code, sender's fault)."""

    def answer(entries: Entries) -> Answer:
        return {
            "Successful": [{"Id": one["Id"]} for position, one in enumerate(entries) if position not in codes],
            "Failed": [
                {"Id": entries[position]["Id"], "Code": code, "SenderFault": fault}
                for position, (code, fault) in codes.items()
            ],
        }

    return answer


def recommendation(number: int = 0, **changes: Any) -> dict[str, Any]:
    """Return the arguments of `enqueue` for the envelope of that number, each with an ID of its own."""
    return {
        "incident_id": "incident-1",
        "execution_id": "execution-1",
        "agent_type": "signal-intelligence",
        "timestamp": f"2026-01-31T12:00:00.{number:06d}Z",
        "recommendation": {"number": number},
        **changes,
    }


def balanced(balance: Balance) -> bool:
    """Tell whether every envelope that was handed over is accounted for."""
    return balance.accepted == balance.sent + sum(balance.dropped.values()) + balance.pending


@contextmanager
def running_producer(queue: FakeQueue, **options: Any) -> Iterator[RecommendationProducer]:
    """Make a producer that retries without delay; at the end, close it and check its balance."""
    producer = RecommendationProducer(QUEUE_URL, **{"client_factory": queue.client, "jitter": lambda: 0.0, **options})
    try:
        yield producer
    finally:
        final = producer.close(timeout=0)
    assert balanced(final)
    assert final.pending == 0
    assert final.sent == len(queue.arrived)
