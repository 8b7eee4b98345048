"""Watching a graph's nodes never harms the graph, whatever its objects or the producer do."""

import asyncio
from typing import Any

import pytest
from langchain_core.runnables import AddableDict, RunnableLambda
from langgraph.graph import START, StateGraph

from recommendation_producer._langgraph import visit
from recommendation_producer.langgraph import persisting
from tests.support.fakes.queue import NOTHING_HANGS, FakeQueue, running_producer

INPUT = {"agent_input": {"incident_id": "incident-1", "execution_id": "execution-1"}}


def first(_state: Any) -> Any:
    """Run the first agent."""
    return {"hypotheses": {"first": {"agent_id": "first", "timestamp": "2026-01-31T12:00:01"}}}


FIRST = "rec-incident-1-first-2026-01-31T12:00:01Z"


class Recorder:
    """Records the states that are handed over."""

    def __init__(self) -> None:
        self.states: list[Any] = []

    def enqueue_state(self, state: object) -> None:
        """Record it."""
        self.states.append(state)


def watched(node: Any, producer: Any) -> Any:
    """Return the graph of one watched node."""
    builder: Any = StateGraph(dict)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    return persisting(builder, producer).compile()


class RaisingProducer:
    """Raises, which the real one never does."""

    def enqueue_state(self, state: object) -> None:
        """Raise."""
        raise ArithmeticError(state)


def test_producer_that_raises_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The log says so, by the name of the exception."""
    result = watched(first, RaisingProducer()).invoke(INPUT)
    assert result == first(None)
    assert [record.getMessage() for record in caplog.records] == ["a node's output cannot be enqueued: ArithmeticError"]


class Unreadable:
    """A state that cannot be read."""

    def __getattribute__(self, name: str) -> Any:
        """Raise where the producer reads."""
        if name == "__class__":
            return Unreadable
        raise RuntimeError(name)


@pytest.mark.parametrize(
    "state",
    [Unreadable(), "text", 42, None, [Unreadable()], {"hypotheses": Unreadable()}],
    ids=["object", "text", "number", "none", "list", "hypotheses"],
)
def test_input_that_cannot_be_read_reaches_the_node(state: Any) -> None:
    """All that the node returns then counts as new."""
    recorder = Recorder()
    graph = watched(lambda _: first(None), recorder)
    graph.nodes["node"].bound.invoke(state, {})
    assert recorder.states == [first(None)]


class NodeError(Exception):
    """The host's own exception."""


@pytest.mark.parametrize("error", [NodeError("x"), KeyboardInterrupt(), StopIteration(), GeneratorExit()])
def test_exception_of_a_node_is_the_hosts_own(error: BaseException) -> None:
    """Its traceback, cause and context, too."""

    def node(_state: Any) -> Any:
        raise error

    bound = watched(node, Recorder()).nodes["node"].bound
    with pytest.raises(type(error)) as raised:
        bound.invoke({}, {})
    assert raised.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert visit._CURRENT.get() is None


def test_cancelled_node_is_cancelled() -> None:
    """Nothing is handed over for it."""
    recorder = Recorder()

    async def node(_state: Any) -> Any:
        await asyncio.sleep(NOTHING_HANGS)

    async def run() -> None:
        running = asyncio.create_task(watched(node, recorder).ainvoke(INPUT))
        await asyncio.sleep(0.05)
        running.cancel()
        await running

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    assert recorder.states == []


def test_node_that_cannot_be_watched_stays_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """Another version may hold nodes in another way; the log says what to do instead."""

    class Builder:
        nodes = {"strange": object()}  # noqa: RUF012 - a stand-in

    before = dict(Builder.nodes)
    persisting(Builder(), Recorder())
    assert Builder.nodes == before
    (record,) = caplog.records
    assert record.getMessage() == (
        "node 'strange' is not watched (AttributeError); pass the final state to enqueue_state"
    )


def test_compiled_graph_still_runs(caplog: pytest.LogCaptureFixture) -> None:
    """It is too late to watch its nodes, and too early to fail."""
    compiled = watched(first, Recorder())
    assert persisting(compiled, Recorder()) is compiled
    assert compiled.invoke(INPUT) == first(None)
    (record,) = caplog.records
    assert record.getMessage().startswith("persisting needs a graph before compile(), not a CompiledStateGraph")


def test_executions_at_the_same_time_are_kept_apart() -> None:
    """One sandbox may run several graphs in one event loop."""

    async def node(state: Any) -> Any:
        await asyncio.sleep(0.001)
        return {**state, **first(state)}

    queue = FakeQueue()
    inputs = [{"agent_input": {"incident_id": f"incident-{number}", "execution_id": "x"}} for number in range(20)]
    with running_producer(queue) as producer:
        graph = watched(node, producer)

        async def run() -> None:
            await asyncio.gather(*(graph.ainvoke(given) for given in inputs))

        asyncio.run(run())
        producer.flush(NOTHING_HANGS)
    assert sorted(queue.arrived_ids()) == sorted(
        FIRST.replace("incident-1", f"incident-{number}") for number in range(20)
    )


def test_large_outputs_are_compared_by_identity() -> None:
    """They are sent when they are new, and not again when a node passes them on."""
    large = {"agent_id": "large", "timestamp": "2026-01-31T12:00:01", "findings": {"text": "x" * 5_000_000}}
    recorder = Recorder()
    node = watched(lambda state: {"hypotheses": {**state.get("hypotheses", {}), "large": large}}, recorder).nodes[
        "node"
    ]
    node.bound.invoke({}, {})
    node.bound.invoke({"hypotheses": {"large": large}}, {})
    assert [list(state["hypotheses"]) for state in recorder.states] == [["large"]]


def test_stream_that_is_closed_early_closes_the_nodes_own() -> None:
    """A node may hold a connection that it releases at its end; an unfinished result is not handed over."""
    events: list[str] = []

    class Streaming(RunnableLambda[Any, Any]):
        async def astream(self, *_: Any, **__: Any) -> Any:
            try:
                yield first(None)
                yield first(None)
            finally:
                events.append("closed")

    recorder = Recorder()
    builder: Any = StateGraph(dict)
    builder.add_node("node", Streaming(first))
    node = persisting(builder, recorder).nodes["node"].runnable

    async def run() -> None:
        stream = node.astream({}, {})
        await anext(stream)
        await stream.aclose()
        events.append("after")

    asyncio.run(run())
    assert events == ["closed", "after"]
    assert recorder.states == []


def test_parts_of_a_streamed_result_are_added_up() -> None:
    """A runnable may yield one key after another."""
    recorder = Recorder()
    parts = [AddableDict(hypotheses=first(None)["hypotheses"]), AddableDict(consensus={"agreed": True})]

    class Streaming(RunnableLambda[Any, Any]):
        async def astream(self, *_: Any, **__: Any) -> Any:
            for part in parts:
                yield part

    builder: Any = StateGraph(dict)
    builder.add_node("node", Streaming(first))
    node = persisting(builder, recorder).nodes["node"].runnable

    async def run() -> list[Any]:
        return [part async for part in node.astream({}, {})]

    assert asyncio.run(run()) == parts
    assert [sorted(state) for state in recorder.states] == [["consensus", "hypotheses"]]


def test_hypotheses_that_cannot_be_read_are_counted_once() -> None:
    """An iterator is left to the host, whose graph decides what to do with it."""
    outputs = iter([1])
    with running_producer(FakeQueue()) as producer:
        node = watched(lambda _: {"hypotheses": outputs}, producer).nodes["node"].bound
        node.invoke(INPUT, {})
        node.invoke({**INPUT, "hypotheses": outputs, "consensus": {"agreed": True}}, {})
        assert producer.balance.dropped == {"invalid": 1}
    assert list(outputs) == [1]
