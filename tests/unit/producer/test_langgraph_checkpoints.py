"""Persisting node by node across crashes, retries and resumes, with LangGraph's own checkpointer."""

import asyncio
import itertools
import operator
import time
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, RetryPolicy, interrupt

from recommendation_producer import RecommendationProducer
from recommendation_producer.langgraph import persisting
from tests.support.fakes.queue import NOTHING_HANGS, FakeQueue, running_producer

INPUT = {"incident_id": "incident-1", "execution_id": "execution-1", "timestamp": "2026-01-31T12:00:00"}
THREAD: Any = {"configurable": {"thread_id": "1"}}
AGENTS = ("signal", "history", "risk")


class State(TypedDict, total=False):
    """A state like the executor's, whose reducer merges the parallel agents' hypotheses."""

    agent_input: dict[str, Any]
    hypotheses: Annotated[dict[str, Any], operator.or_]
    consensus: dict[str, Any]


class ModelError(Exception):
    """An error that a model's API raises now and then."""


class Agents:
    """Agents with a ticking clock: each completed run has a unique timestamp, as in reality."""

    def __init__(self, *failures: str) -> None:
        self._failures = list(failures)
        self.before_failing: Callable[[], object] = lambda: None
        self._clock = itertools.count(1)
        self.completed: list[str] = []

    def agent(self, name: str) -> Any:
        """Return a node that fails as many times as its name occurs in the failures."""

        def node(_state: State) -> State:
            self._fail(name)
            timestamp = self._complete(name)
            return {"hypotheses": {name: {"agent_id": name, "timestamp": timestamp, "findings": {"by": name}}}}

        return node

    def consensus(self, state: State) -> State:
        """Run the last node."""
        self._fail("consensus")
        assert set(state["hypotheses"]) == set(AGENTS)
        return {"consensus": {"aggregated_confidence": 0.5, "timestamp": self._complete("consensus")}}

    def _fail(self, name: str) -> None:
        if name in self._failures:
            self._failures.remove(name)
            self.before_failing()
            raise ModelError(name)

    def _complete(self, name: str) -> str:
        second = next(self._clock)
        self.completed.append(f"rec-incident-1-{name}-2026-01-31T12:00:{second:02d}Z")
        return f"2026-01-31T12:00:{second:02d}"

    def parallel(self, **options: Any) -> "StateGraph[State]":
        """Return a graph that runs all agents in parallel, and then the consensus."""
        builder = StateGraph(State)
        for name in AGENTS:
            builder.add_node(name, self.agent(name), **options)
            builder.add_edge(START, name)
        builder.add_node("consensus", self.consensus, **options)
        builder.add_edge(list(AGENTS), "consensus")
        builder.add_edge("consensus", END)
        return builder


def invoke(graph: Any, given: Any) -> Any:
    """Run from sync code; parallel nodes run in threads."""
    return graph.invoke(given, THREAD)


def ainvoke(graph: Any, given: Any) -> Any:
    """Run in a new event loop."""
    return asyncio.run(graph.ainvoke(given, THREAD))


RUNS = pytest.mark.parametrize("run", [invoke, ainvoke])


def compiled(builder: "StateGraph[State]", producer: RecommendationProducer, saver: InMemorySaver | None = None) -> Any:
    """Compile with persistence, as each new sandbox does."""
    return persisting(builder, producer).compile(checkpointer=saver)


def wait_for_writes(saver: InMemorySaver, tasks: int) -> None:
    """Wait until the outputs of this many agents are in the checkpoint, which also holds the writes of the input."""
    ends = time.monotonic() + NOTHING_HANGS
    while time.monotonic() < ends:
        written = {
            task_id
            for writes in list(saver.writes.values())
            for (task_id, _), (_, channel, *_) in list(writes.items())
            if channel == "hypotheses"
        }
        if len(written) >= tasks:
            return
        time.sleep(0.001)
    raise AssertionError(written)


@RUNS
def test_parallel_branches_are_each_persisted_once(run: Callable[[Any, Any], Any]) -> None:
    """The branches call the producer from several threads at a time."""
    agents, queue = Agents(), FakeQueue()
    with running_producer(queue) as producer:
        run(compiled(agents.parallel(), producer), {"agent_input": INPUT})
        producer.flush(NOTHING_HANGS)
    assert sorted(queue.arrived_ids()) == sorted(agents.completed)
    assert len(agents.completed) == 4


@RUNS
def test_retried_node_is_persisted_for_its_success_only(run: Callable[[Any, Any], Any]) -> None:
    """An attempt that raises has no output."""
    agents, queue = Agents("risk", "risk", "consensus"), FakeQueue()
    policy = RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False, retry_on=ModelError)
    with running_producer(queue) as producer:
        run(compiled(agents.parallel(retry_policy=policy), producer), {"agent_input": INPUT})
        producer.flush(NOTHING_HANGS)
    assert sorted(queue.arrived_ids()) == sorted(agents.completed)
    assert len(agents.completed) == 4


@RUNS
def test_crash_of_one_branch_keeps_the_outputs_of_the_others(run: Callable[[Any, Any], Any]) -> None:
    """The caller gets its exception."""
    agents, queue = Agents("risk"), FakeQueue()
    with running_producer(queue) as producer:
        with pytest.raises(ModelError, match="risk"):
            run(compiled(agents.parallel(), producer), {"agent_input": INPUT})
        producer.flush(NOTHING_HANGS)
    assert sorted(queue.arrived_ids()) == sorted(agents.completed)


@RUNS
@pytest.mark.parametrize("crashing", ["risk", "consensus"])
def test_resumed_graph_gives_every_output_its_original_id(run: Callable[[Any, Any], Any], crashing: str) -> None:
    """Outputs from before the crash are read from the checkpoint, not produced again, even in another sandbox."""
    agents, saver, queue = Agents(crashing), InMemorySaver(), FakeQueue()
    # If LangGraph has not written a branch's output when another branch crashes, that branch runs again.
    agents.before_failing = lambda: wait_for_writes(saver, tasks=2)
    with running_producer(queue) as producer, pytest.raises(ModelError):
        run(compiled(agents.parallel(), producer, saver), {"agent_input": INPUT})
    before = set(agents.completed)
    queue = FakeQueue()
    with running_producer(queue) as producer:
        final = run(compiled(agents.parallel(), producer, saver), None)
        producer.flush(NOTHING_HANGS)
        resumed = queue.arrived_ids()
        producer.enqueue_state(final)  # an executor that also persists after the graph
        producer.flush(NOTHING_HANGS)
    assert set(queue.arrived_ids()) == set(agents.completed)
    assert len(agents.completed) == 4
    assert not set(resumed) & before


@RUNS
def test_node_that_waits_for_a_person_is_persisted_when_it_ends(run: Callable[[Any, Any], Any]) -> None:
    """LangGraph runs it again from the start, and only the completed run has an output."""
    agents, queue = Agents(), FakeQueue()

    def approval(state: State) -> State:  # noqa: ARG001 - LangGraph's node type requires this name
        approved = interrupt("roll back?")
        return {"consensus": {"approved": approved, "timestamp": agents._complete("consensus")}}

    builder = StateGraph(State)
    builder.add_node("signal", agents.agent("signal"))
    builder.add_node("approval", approval)
    builder.add_edge(START, "signal")
    builder.add_edge("signal", "approval")
    with running_producer(queue) as producer:
        graph = compiled(builder, producer, InMemorySaver())
        run(graph, {"agent_input": INPUT})
        producer.flush(NOTHING_HANGS)
        assert queue.arrived_ids() == agents.completed
        final = run(graph, Command(resume=True))
        producer.flush(NOTHING_HANGS)
    assert final["consensus"]["approved"] is True
    assert queue.arrived_ids() == agents.completed
    assert len(agents.completed) == 2
