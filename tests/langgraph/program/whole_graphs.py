"""Cases: what happens to a graph as a whole."""

import time
from typing import Any

from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import END, START, StateGraph

from tests.langgraph.program.running import (
    ALL,
    INPUT,
    SCRIPT,
    Persist,
    State,
    Unsupported,
    case,
    consensus,
    first,
    graph_of,
    output,
    second,
    supported,
)

THREAD: Any = {"configurable": {"thread_id": "1"}}
GIVEN = {"agent_input": INPUT}


class ThrottledError(Exception):
    """What a model's API raises under load."""


def parallel(*nodes: Any, **options: Any) -> Any:
    """Return a graph that runs these nodes side by side, and then the consensus."""
    builder: Any = StateGraph(State)
    for node in nodes:
        builder.add_node(node.__name__, node, **options)
        builder.add_edge(START, node.__name__)
    builder.add_node("agree", consensus)
    builder.add_edge([node.__name__ for node in nodes], "agree")
    builder.add_edge("agree", END)
    return builder


@case("consensus@3", "first@1", "second@2", runs=ALL)
def parallel_branches(persist: Persist) -> Any:
    """They run in threads, or as tasks."""
    return persist(parallel(first, second)).compile()


@case("consensus@3", "first@1", "second@2")
def deferred_nodes(persist: Persist) -> Any:
    """They wait for all others."""
    builder = parallel(first, second)
    builder.add_node("last", lambda _: None, **supported(builder.add_node, defer=True))
    builder.add_edge("agree", "last")
    return persist(builder).compile()


@case("consensus@3", "flaky@4")
def retries(persist: Persist) -> Any:
    """An attempt that raised contributes nothing."""
    from langgraph.types import RetryPolicy  # noqa: PLC0415

    attempts: list[int] = []

    def flaky(state: Any) -> Any:
        attempts.append(1)
        state.setdefault("hypotheses", {})["half"] = output("half", 9)
        if len(attempts) < 3:
            raise ThrottledError
        return {"hypotheses": {"flaky": output("flaky", 4)}}

    policy = RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False, retry_on=ThrottledError)
    options = supported(StateGraph(State).add_node, retry_policy=policy, retry=policy)
    return persist(parallel(flaky, **options)).compile()


@case("first@1", "second@2", runs=SCRIPT)
def interrupts_and_resumes(persist: Persist) -> Any:
    """A node that waits runs again from its start; the input of the resumed run does not name the incident."""
    try:
        from langgraph.types import Command, interrupt  # noqa: PLC0415
    except ImportError as error:
        raise Unsupported("interrupt") from error

    def approval(state: Any) -> Any:
        assert interrupt("roll back?")
        return second(state)

    graph = persist(graph_of(first, approval)).compile(checkpointer=MemorySaver())
    return lambda: [graph.invoke(GIVEN, THREAD)["hypotheses"], graph.invoke(Command(resume=True), THREAD)]


@case("first@1", "second@2", runs=SCRIPT)
def interrupts_before_a_node(persist: Persist) -> Any:
    """The older way to wait for a person."""
    graph = persist(graph_of(first, second)).compile(checkpointer=MemorySaver(), interrupt_before=["node-1"])
    return lambda: [graph.invoke(GIVEN, THREAD)["hypotheses"], graph.invoke(None, THREAD)]


@case("first@1", "second@2", "second@2", runs=SCRIPT)
def caches(persist: Persist) -> Any:
    """A cached node does not run, so its output is not sent twice; with the final state, every output is."""
    try:
        from langgraph.cache.memory import InMemoryCache  # noqa: PLC0415
        from langgraph.types import CachePolicy  # noqa: PLC0415
    except ImportError as error:
        raise Unsupported("CachePolicy") from error
    builder: Any = StateGraph(State)
    builder.add_node("first", first, **supported(builder.add_node, cache_policy=CachePolicy()))
    builder.add_node("second", second)
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    graph = persist(builder).compile(cache=InMemoryCache())
    return lambda: [graph.invoke(GIVEN), graph.invoke(GIVEN)]


AGENTS = ("first", "second")


def _terminal(state: Any) -> Any:
    missing = [name for name in AGENTS if name not in state["hypotheses"]]
    if missing:
        raise ValueError(f"missing: {missing}")
    return {"consensus": {name: value for name, value in state["consensus"].items() if name != "timestamp"}}


@case("consensus@3", "first@1", "second@2")
def terminal_node_that_copies_the_consensus_without_its_timestamp(persist: Persist) -> Any:
    """It neither moves the consensus nor makes a second one."""
    return persist(graph_of(first, second, consensus, _terminal)).compile()


@case("consensus@3", "consensus@3", "first@1", "first@1", "second@2", "second@2", runs=SCRIPT)
def the_same_with_the_final_state(persist: Persist) -> Any:
    """Sent again, the copy is a duplicate."""
    graph = persist(graph_of(first, second, consensus, _terminal)).compile()
    return lambda: persist.enqueue_state(graph.invoke(GIVEN))


@case("consensus@3", "first@1")
def throttled_agent_and_a_terminal_node_that_raises(persist: Persist) -> Any:
    """There is no final state, and what was finished is sent."""

    def throttled(_state: Any) -> Any:
        return {"consensus": None}

    return persist(graph_of(first, throttled, consensus, _terminal)).compile()


@case("first@1", runs=SCRIPT)
def snapshots(persist: Persist) -> Any:
    """`get_state` returns the values in a named tuple."""
    graph = graph_of(first).compile(checkpointer=MemorySaver())

    def run() -> None:
        graph.invoke(GIVEN, THREAD)
        persist.enqueue_state(graph.get_state(THREAD))

    return run


@case("first@1", "second@2", runs=SCRIPT)
def snapshots_of_a_graph_that_raised(persist: Persist) -> Any:
    """What one branch finished before its neighbour raised is in the snapshot's tasks."""

    def crash(_state: Any) -> Any:
        time.sleep(0.2)  # LangGraph writes what the neighbour returned
        raise ThrottledError

    saver = MemorySaver()
    builder = graph_of(first)
    for node in (second, crash):
        builder.add_node(node.__name__, node)
        builder.add_edge("node-0", node.__name__)
    graph = builder.compile(checkpointer=saver)

    def run() -> None:
        try:
            graph.invoke(GIVEN, THREAD)
        except ThrottledError:
            persist.enqueue_state(graph.get_state(THREAD))

    return run


@case("first@1", runs=SCRIPT)
def second_version_of_the_result(persist: Persist) -> Any:
    """The newest versions can return the final state in an object beside the interrupts."""
    graph = graph_of(first).compile()
    version = supported(graph.invoke, version="v2")
    return lambda: persist.enqueue_state(graph.invoke(GIVEN, **version))


@case("first@1", "first@1", "second@2", runs=SCRIPT)
def default_error_handlers(persist: Persist) -> Any:
    """LangGraph makes nodes of them when it compiles; what they return is in the final state."""

    def crash(_state: Any) -> Any:
        raise ThrottledError

    builder = graph_of(first, crash)
    if not hasattr(builder, "set_node_defaults"):
        raise Unsupported("set_node_defaults")
    builder.set_node_defaults(error_handler=second)
    graph = persist(builder).compile()
    return lambda: persist.enqueue_state(graph.invoke(GIVEN))


@case("first@1", "second@2", runs=SCRIPT)
def executions_one_after_another_in_one_thread(persist: Persist) -> Any:
    """Outputs that an earlier execution left in the state are not taken for this one's."""
    nodes = [first, second]
    builder: Any = StateGraph(State)
    builder.add_node(
        "node",
        lambda state: {**state, "hypotheses": {**(state.get("hypotheses") or {}), **nodes.pop(0)(state)["hypotheses"]}},
    )
    builder.add_edge(START, "node")
    graph = persist(builder).compile(checkpointer=MemorySaver())
    return lambda: [graph.invoke(GIVEN, THREAD), graph.invoke(GIVEN, THREAD)]
