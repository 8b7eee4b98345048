"""An executor that uses every public name as documented. `test_public_types.py` checks it as a host's mypy would."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, assert_type

from recommendation_consumer.handler import handler as consume
from recommendation_producer import Balance, Outcome, RecommendationProducer
from recommendation_producer.langgraph import persisting
from recommendation_producer.recording import recording, records
from recommendation_shared.envelope import Envelope

producer = RecommendationProducer("https://sqs.eu-west-1.amazonaws.com/123456789012/opx-recommendations", "eu-west-1")
assert_type(RecommendationProducer.from_env(), RecommendationProducer)
assert_type(RecommendationProducer.from_env(max_items=100, drain="after_response"), RecommendationProducer)


def hand_over() -> Outcome:
    """Enqueue with every argument of the contract."""
    outcome = producer.enqueue(
        incident_id="incident-123",
        execution_id="execution-1",
        agent_type="consensus",
        timestamp=datetime(2026, 1, 31, 12, tzinfo=UTC),
        recommendation={"action": "roll back", "steps": [1, 2]},
        confidence=Decimal("0.87"),
        reasoning="The deployment preceded the errors.",
        citations=[{"source": "deployments"}],
        metadata={"cost": 0.01},
        retention=None,
    )
    assert_type(outcome.accepted, bool)
    assert_type(outcome.reason, str | None)
    assert_type(outcome.recommendation_id, str | None)
    return outcome


def hand_over_the_least() -> Outcome:
    """Enqueue with the required arguments only; a timestamp may be text."""
    return producer.enqueue(
        incident_id="incident-123",
        execution_id="execution-1",
        agent_type="consensus",
        timestamp="2026-01-31T12:00:00Z",
        recommendation={},
    )


assert_type(producer.enqueue_state({"hypotheses": {}}), list[Outcome])


def count() -> int:
    """Read the balance."""
    balance = producer.flush(timeout=1.5)
    assert_type(balance, Balance)
    assert_type(producer.balance, Balance)
    assert_type(producer.close(), Balance)
    return balance.accepted + balance.sent + balance.pending + sum(balance.dropped.values())


async def count_in_a_coroutine() -> Balance:
    """Flush without blocking the event loop."""
    return await producer.aflush(timeout=1.5)


@producer.lambda_handler
def executor(event: dict[str, int], context: object) -> str:
    """Stand for a host's handler; the decorator keeps its signature."""
    return f"{event} {context}"


@producer.lambda_handler
async def async_executor(event: dict[str, int], context: object) -> str:
    """Stand for a host's async handler."""
    return f"{event} {context}"


assert_type(executor({"a": 1}, None), str)
sync_handler: Callable[[dict[str, int], object], str] = executor
async_handler: Callable[[dict[str, int], object], Awaitable[str]] = async_executor


class Graph:
    """The part of a LangGraph builder that the producer uses."""

    nodes: Mapping[str, Any] = MappingProxyType({})


assert_type(persisting(Graph(), producer), Graph)


@records(agent_type="signal-intelligence", metadata={"agentVersion": "1.2.0"})
def analyse(evidence: list[str]) -> dict[str, str]:
    """Stand for an agent that is a function; the decorator keeps its signature."""
    return {"action": evidence[0]}


@records(agent_type="historical-pattern")
async def compare(evidence: list[str]) -> int:
    """Stand for an async agent."""
    return len(evidence)


async def run_the_agents() -> None:
    """Record what the agents return for an incident."""
    with recording(producer, incident_id="incident-123", execution_id="execution-1"):
        assert_type(analyse(["roll back"]), dict[str, str])
        assert_type(await compare([]), int)


class Context:
    """The part of Lambda's context that the consumer reads."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left."""
        return 1000


response = consume({"Records": []}, Context())
assert_type(response["batchItemFailures"][0]["itemIdentifier"], str)

envelope = Envelope.create(
    incident_id="incident-123",
    execution_id="execution-1",
    agent_type="consensus",
    timestamp="2026-01-31T12:00:00Z",
    recommendation={},
)
assert_type(envelope.incident_id, str)
assert_type(envelope.retention, int | None)
assert_type(envelope.to_json(), bytes)
assert_type(envelope.to_fields(), dict[str, Any])
