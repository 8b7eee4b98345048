"""Persisting node by node in a real LangGraph graph: each output arrives once, and the graph notices nothing."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from recommendation_producer import RecommendationProducer
from recommendation_producer.langgraph import persisting
from tests.langgraph.program.running import INPUT, State, consensus, first, graph_of, output
from tests.support.fakes.queue import NOTHING_HANGS, FakeQueue, running_producer

FIRST = "rec-incident-1-first-2026-01-31T12:00:01Z"
SECOND = "rec-incident-1-second-2026-01-31T12:00:02Z"
CONSENSUS = "rec-incident-1-consensus-2026-01-31T12:00:03Z"


def second(state: State) -> State:
    """Run the second agent, which returns all hypotheses so far."""
    return {"hypotheses": {**state["hypotheses"], "second": output("second", 2)}}


def invoke(graph: Any) -> Any:
    """Run a compiled graph from sync code."""
    return graph.invoke({"agent_input": INPUT})


def ainvoke(graph: Any) -> Any:
    """Run it in a new event loop."""
    return asyncio.run(graph.ainvoke({"agent_input": INPUT}))


def stream(graph: Any) -> Any:
    """Run it step by step; return the last state."""
    return list(graph.stream({"agent_input": INPUT}, stream_mode="values"))[-1]


def astream_events(graph: Any) -> Any:
    """Run it as a user interface would, streaming through the nodes; return the last state."""

    async def run() -> Any:
        events = [event async for event in graph.astream_events({"agent_input": INPUT}, version="v2")]
        return events[-1]["data"]["output"]

    return asyncio.run(run())


def persisted(builder: Any, run: Callable[[Any], Any] = invoke) -> tuple[Any, list[str], RecommendationProducer]:
    """Run a graph with persistence; return its result, the IDs that arrived and the producer."""
    queue = FakeQueue()
    with running_producer(queue) as producer:
        result = run(persisting(builder, producer).compile())
        producer.flush(NOTHING_HANGS)
    return result, queue.arrived_ids(), producer


@pytest.mark.parametrize("run", [invoke, ainvoke, stream, astream_events])
def test_every_output_is_enqueued_once_and_the_result_is_the_same(run: Callable[[Any], Any]) -> None:
    """The way of running the graph makes no difference."""
    result, ids, producer = persisted(graph_of(first, second, consensus), run)
    assert result == run(graph_of(first, second, consensus).compile())
    assert ids == [FIRST, SECOND, CONSENSUS]
    assert producer.balance.dropped == {}


def test_crash_of_a_later_node_loses_nothing() -> None:
    """The host gets the original exception, and the earlier outputs are on the queue."""

    def crash(_state: State) -> State:
        raise LookupError("consensus")

    queue = FakeQueue()
    with running_producer(queue) as producer:
        graph = persisting(graph_of(first, second, crash), producer).compile()
        with pytest.raises(LookupError, match="consensus"):
            invoke(graph)
        producer.flush(NOTHING_HANGS)
    assert queue.arrived_ids() == [FIRST, SECOND]


def test_persisting_per_node_and_after_the_graph_gives_the_same_bytes() -> None:
    """An executor that does both sends duplicates, which the consumer recognises, and no conflicts."""
    queue = FakeQueue()
    with running_producer(queue) as producer:
        producer.enqueue_state(invoke(persisting(graph_of(first, second, consensus), producer).compile()))
        producer.flush(NOTHING_HANGS)
    assert len(queue.arrived) == 6
    assert len(set(queue.arrived)) == 3


@pytest.mark.parametrize("execution", [f"execution-{number}" for number in range(8)])
def test_outputs_without_timestamps_have_the_same_instants_at_their_nodes_and_after_the_graph(execution: str) -> None:
    """The consensus's node must see the agents of the state, or its consensus would come before them."""

    def cut_off(_state: State) -> State:
        return {"hypotheses": {"cut-off": {"agent_id": "cut-off", "status": "TIMEOUT", "findings": {}}}}

    def conclude(_state: State) -> State:
        return {"consensus": {"aggregated_confidence": 0.5}}

    given: Any = {"agent_input": {**INPUT, "execution_id": execution}}
    nodes, afterwards = FakeQueue(), FakeQueue()
    with running_producer(nodes) as producer:
        state = persisting(graph_of(cut_off, conclude), producer).compile().invoke(given)
        producer.flush(NOTHING_HANGS)
    with running_producer(afterwards) as producer:
        producer.enqueue_state(state)
        producer.flush(NOTHING_HANGS)
    assert nodes.arrived == afterwards.arrived
    agent, consensus = (json.loads(body)["timestamp"] for body in nodes.arrived)
    assert agent < consensus


def test_async_nodes_are_wrapped_too() -> None:
    """A node may be a coroutine function."""

    async def slow(state: State) -> State:
        await asyncio.sleep(0)
        return first(state)

    assert persisted(graph_of(slow, second), ainvoke)[1] == [FIRST, SECOND]


def test_node_still_gets_config_and_runtime() -> None:
    """LangGraph injects them according to the signature of the node's function."""
    seen: list[object] = []

    def curious(state: State, config: RunnableConfig, runtime: Runtime[Any]) -> State:
        seen.extend([config["metadata"]["langgraph_node"], type(runtime).__name__])
        return first(state)

    assert persisted(graph_of(curious))[1] == [FIRST]
    assert seen == ["node-0", "Runtime"]


def test_runnables_sequences_and_subgraphs_are_nodes_like_any_other() -> None:
    """LangGraph treats each of them differently."""
    copied: RunnableLambda[State, State] = RunnableLambda(lambda state: {**state})
    sequence = copied | RunnableLambda(first)
    for run in (invoke, ainvoke, astream_events):
        assert persisted(graph_of(RunnableLambda(first), second), run)[1] == [FIRST, SECOND]
        assert persisted(graph_of(sequence, second), run)[1] == [FIRST, SECOND]
        assert persisted(graph_of(graph_of(first).compile(), second), run)[1] == [FIRST, SECOND]


def test_subgraph_is_still_found_by_langgraph() -> None:
    """Drawing and checkpointing depend on it."""
    with running_producer(FakeQueue()) as producer:
        outer = persisting(graph_of(graph_of(first).compile()), producer).compile()
        assert [name for name, _ in outer.get_subgraphs()] == ["node-0"]


def test_commands_and_lists_of_updates_are_understood() -> None:
    """A node may return its update in a Command, as key-value pairs, or in a list of Commands."""

    def command(state: State) -> Command[str]:
        return Command(update=first(state))

    def pairs(_state: State) -> Command[str]:
        return Command(update=[("hypotheses", {"second": output("second", 2)})])

    def several(state: State) -> list[Any]:
        return [Command(update=consensus(state))]

    assert persisted(graph_of(command, pairs, several))[1] == [FIRST, SECOND, CONSENSUS]


def test_state_may_be_a_dataclass() -> None:
    """LangGraph then passes an object to the node, and the node may return one."""

    @dataclass
    class ObjectState:
        agent_input: Any = None
        hypotheses: Any = None

    def node(state: ObjectState) -> ObjectState:
        return ObjectState(state.agent_input, {"first": output("first", 1)})

    builder = StateGraph(ObjectState)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    assert persisted(builder)[1] == [FIRST]


def test_node_that_returns_nothing_enqueues_nothing() -> None:
    """Nothing is counted either."""
    _, ids, producer = persisted(graph_of(lambda _: None, first))
    assert ids == [FIRST]
    assert producer.balance.accepted == 1


def test_update_that_cannot_be_read_is_counted_and_passed_on() -> None:
    """It is up to the graph to reject it, not to the producer."""

    class Unreadable(dict[str, Any]):
        """An update whose parts the producer cannot read."""

        def keys(self) -> Any:
            raise RuntimeError

        __iter__ = keys

    result, ids, producer = persisted(graph_of(lambda state: Unreadable(first(state))))
    assert list(result["hypotheses"]) == ["first"]
    assert ids == []
    assert producer.balance.dropped == {"invalid": 1}
