"""How an executor integrates the producer: after the graph or node by node, and in a Lambda function.

Both ways give the same recommendation IDs. If an executor uses both, the second sends duplicates, which do no harm.
In a Lambda function, create the producer at module scope, once for each sandbox:

    producer = RecommendationProducer.from_env()
    handler = lambda_handler(producer)
"""

from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from examples.executor.execution import RECOMMENDATIONS, Execution
from examples.executor.graph import build_graph
from examples.executor.state import ExecutorState
from recommendation_producer.langgraph import persisting
from recommendation_shared.envelope.identity import parse_instant

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
Run = Callable[[Execution], ExecutorState]


class Producer(Protocol):
    """The part of `RecommendationProducer` that an executor uses."""

    def enqueue_state(self, state: object) -> object:
        """Hand over every agent's output and the consensus; never raises."""

    def lambda_handler(self, handler: Handler) -> Handler:
        """Wrap a Lambda handler so that the buffer drains before the sandbox freezes."""


def after_the_graph(producer: Producer) -> Run:
    """Persist once, when the graph has finished. If the graph raises, nothing is persisted."""
    graph = build_graph().compile()

    def run(execution: Execution) -> ExecutorState:
        state = cast("ExecutorState", graph.invoke(execution.initial_state()))
        producer.enqueue_state(state)
        return state

    return run


def per_node(producer: Producer) -> Run:
    """Persist each agent's output as soon as its node finishes, so that a later crash loses nothing."""
    graph = persisting(build_graph(), producer).compile()

    def run(execution: Execution) -> ExecutorState:
        return cast("ExecutorState", graph.invoke(execution.initial_state()))

    return run


WAYS: Final[dict[str, Callable[[Producer], Run]]] = {"after": after_the_graph, "per-node": per_node}


def lambda_handler(producer: Producer, way: str = "after") -> Handler:
    """Return the handler for EventBridge events whose detail names a recorded incident.

    The event's `detail` holds `incidentId` and optionally `replay` (default false), for the recorded replay. The run is
    moved to the day of the event, so an event that is delivered twice gives the same recommendations.
    """
    run = WAYS[way](producer)

    @producer.lambda_handler
    def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
        detail = event["detail"]
        execution = Execution(
            detail["incidentId"],
            replay=detail.get("replay", False),
            day=parse_instant(event["time"]).date(),
        )
        state = run(execution)
        return {
            "executionId": execution.execution_id,
            "recommendations": RECOMMENDATIONS,
            "agreement": state["consensus"].agreement_level,
        }

    return handler
