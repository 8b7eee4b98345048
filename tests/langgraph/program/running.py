"""Cases, and how each is run: with and without persistence, in every way that a graph can be run."""

import asyncio
import inspect
import json
import operator
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import partial
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from recommendation_producer import RecommendationProducer
from recommendation_producer.langgraph import persisting

INPUT = {
    "incident_id": "incident-1",
    "execution_id": "execution-1",
    "session_id": "session-1",
    "timestamp": "2026-01-31T12:00:00",
}
QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/opx-recommendations"
_DAY = "2026-01-31T12:00:"


class Unsupported(Exception):  # noqa: N818 - it is an answer
    """The running version of langgraph lacks what the case is about."""


class State(TypedDict, total=False):
    """A state like the executor's, whose reducer merges the agents' hypotheses."""

    agent_input: dict[str, Any]
    hypotheses: Annotated[dict[str, Any], operator.or_]
    consensus: Any


def output(agent_id: str, second: int, **fields: Any) -> dict[str, Any]:
    """Return an agent's output, completed at this second."""
    return {"agent_id": agent_id, "timestamp": f"{_DAY}{second:02d}", "findings": {"by": agent_id}, **fields}


def first(_state: Any) -> State:
    """Run the first agent."""
    return {"hypotheses": {"first": output("first", 1)}}


def second(_state: Any) -> State:
    """Run the second agent."""
    return {"hypotheses": {"second": output("second", 2)}}


def consensus(_state: Any) -> State:
    """Run the last node."""
    return {"consensus": {"aggregated_confidence": 0.5, "agreed": True, "timestamp": f"{_DAY}03"}}


def graph_of(*nodes: Any, schema: Any = State) -> Any:
    """Return a graph that runs these nodes in order."""
    builder = StateGraph(schema)
    names = [f"node-{number}" for number in range(len(nodes))]
    for name, node in zip(names, nodes, strict=True):
        builder.add_node(name, node)
    for start, end in zip([START, *names], [*names, END], strict=True):
        builder.add_edge(start, end)
    return builder


def supported(function: Any, **either: Any) -> dict[str, Any]:
    """Return the one keyword argument that this version's function knows."""
    known = inspect.signature(function).parameters
    for name, value in either.items():
        if name in known:
            return {name: value}
    raise Unsupported(" or ".join(either))


class Queue:
    """A client that records what is sent."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    def send_message_batch(self, *, Entries: list[dict[str, str]], **_: Any) -> dict[str, Any]:
        """Record the bodies."""
        self.bodies += [json.loads(entry["MessageBody"]) for entry in Entries]
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def arrived(self) -> list[str]:
        """Return each recommendation's agent and second: `first@1`, or `other:first@1` of another incident."""
        return sorted(
            f"{'' if body['incidentId'] == INPUT['incident_id'] else 'other:'}{body['agentType']}"
            f"@{int(body['timestamp'][17:19])}"
            for body in self.bodies
        )


class Persist:
    """What a case applies to its builders, and hands final states to; does nothing without a producer."""

    def __init__(self, producer: RecommendationProducer | None) -> None:
        self._producer = producer

    def __call__(self, builder: Any) -> Any:
        """Apply `persisting`."""
        return builder if self._producer is None else persisting(builder, self._producer)

    def enqueue_state(self, state: Any) -> None:
        """Enqueue what a graph returned."""
        if self._producer is not None:
            self._producer.enqueue_state(state)


Run = Callable[[Any, Any], Any]


def _invoke(graph: Any, given: Any) -> Any:
    return graph.invoke(given)


def _ainvoke(graph: Any, given: Any) -> Any:
    return asyncio.run(graph.ainvoke(given))


def _stream(graph: Any, given: Any) -> Any:
    return list(graph.stream(given, stream_mode="values"))[-1]


def _astream(graph: Any, given: Any) -> Any:
    async def run() -> Any:
        return sorted([chunk async for chunk in graph.astream(given, stream_mode="updates")], key=repr)

    return asyncio.run(run())


def _batch(graph: Any, given: Any) -> Any:
    return graph.batch([given])


def _abatch(graph: Any, given: Any) -> Any:
    return asyncio.run(graph.abatch([given]))


def _astream_events(graph: Any, given: Any) -> Any:
    async def run() -> Any:
        return [event async for event in graph.astream_events(given, version="v2")][-1]["data"]["output"]

    return asyncio.run(run())


def _script(graph: Any, _given: Any) -> Any:
    return graph()


SYNC: tuple[Run, ...] = (_invoke, _stream, _batch)
ASYNC: tuple[Run, ...] = (_ainvoke, _astream, _abatch, _astream_events)
ALL = (*SYNC, *ASYNC)
INVOKE: tuple[Run, ...] = (_invoke, _ainvoke)
TYPICAL: tuple[Run, ...] = (*INVOKE, _astream_events)  # those that differ in what they call of a node
SCRIPT: tuple[Run, ...] = (_script,)  # the case returns a function instead of a graph


@dataclass(frozen=True)
class Case:
    """What a graph must hand over. `build` gets `persist`, to apply to the builders, and returns the compiled graph."""

    build: Callable[[Persist], Any]
    expected: tuple[str, ...]
    runs: tuple[Run, ...]
    given: Callable[[], Any] = field(default=lambda: {"agent_input": dict(INPUT)})

    @property
    def name(self) -> str:
        """The case's name: what its function is called."""
        return self.build.__name__


CASES: list[Case] = []


def case(*expected: str, runs: Iterable[Run] = TYPICAL, **options: Any) -> Callable[[Callable[[Persist], Any]], Any]:
    """Register a case; its function builds the graph."""

    def register(build: Callable[[Persist], Any]) -> Any:
        CASES.append(Case(build, tuple(sorted(expected)), tuple(runs), **options))
        return build

    return register


def _outcome(run: Run, graph: Any, given: Any) -> str:
    try:
        return repr(_plain(run(graph, given)))
    except Unsupported:
        raise
    except Exception as error:  # noqa: BLE001 - a case may expect any
        return f"{type(error).__name__}: {error}"


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _same(queue: Queue) -> Queue:
    return queue


def run_case(case: Case) -> dict[str, Any]:
    """Return what arrived, what was dropped and whether the host noticed, by way of running the graph."""
    answers: dict[str, Any] = {}
    for run in case.runs:
        queue = Queue()
        producer = RecommendationProducer(QUEUE_URL, client_factory=partial(_same, queue))
        try:
            outcome = _outcome(run, case.build(Persist(producer)), case.given())
            plain = _outcome(run, case.build(Persist(None)), case.given())
        except Unsupported as error:
            return {"unsupported": str(error)}
        finally:
            balance = producer.close(timeout=10)
        answers[run.__name__.lstrip("_")] = {
            "arrived": queue.arrived(),
            "dropped": dict(balance.dropped),
            "outcome": outcome,
            "without_persistence": plain,
        }
    return answers
