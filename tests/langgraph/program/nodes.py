"""Cases: every kind of node."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

from langchain_core.runnables import RunnableConfig, RunnableLambda, RunnableParallel
from langgraph.store.base import BaseStore
from langgraph.types import StreamWriter

from tests.langgraph.program.running import (
    ALL,
    ASYNC,
    INVOKE,
    Persist,
    Unsupported,
    case,
    consensus,
    first,
    graph_of,
    second,
    supported,
)


@case("first@1", "second@2", "consensus@3", runs=ALL)
def functions(persist: Persist) -> Any:
    """Each returns an update."""
    return persist(graph_of(first, second, consensus)).compile()


@case("first@1", "second@2", runs=ASYNC)
def coroutine_functions(persist: Persist) -> Any:
    """A node that awaits."""

    async def node(state: Any) -> Any:
        await asyncio.sleep(0)
        return first(state)

    return persist(graph_of(node, second)).compile()


class Agent:
    """An agent with nodes of three kinds."""

    def method(self, state: Any) -> Any:
        """Be a bound method."""
        return first(state)

    def __call__(self, state: Any) -> Any:
        """Be a callable object."""
        return second(state)


@case("first@1", "second@2")
def bound_methods_and_callable_objects(persist: Persist) -> Any:
    """Both are common for agents that are classes."""
    return persist(graph_of(Agent().method, Agent())).compile()


class AsyncAgent:
    """An agent whose call is a coroutine function."""

    async def __call__(self, state: Any) -> Any:
        """Run the first agent."""
        await asyncio.sleep(0)
        return first(state)


@case("first@1", runs=ASYNC)
def async_callable_objects(persist: Persist) -> Any:
    """They are coroutine functions only by their call."""
    return persist(graph_of(AsyncAgent())).compile()


def _either(which: str, state: Any) -> Any:
    return first(state) if which == "first" else second(state)


@case("first@1", "second@2")
def partials(persist: Persist) -> Any:
    """One function for all agents."""
    return persist(graph_of(partial(_either, "first"), partial(_either, "second"))).compile()


@case("first@1", "second@2")
def runnables_and_sequences(persist: Persist) -> Any:
    """LangGraph would take a sequence apart."""
    copied: Any = RunnableLambda(lambda state: {**state})
    return persist(graph_of(copied | RunnableLambda(first), RunnableLambda(second).with_config(tags=["x"]))).compile()


@case("first@1")
def runnable_parallels(persist: Persist) -> Any:
    """A mapping of runnables is a node, too; each writes one key."""
    return persist(graph_of(RunnableParallel(hypotheses=lambda state: first(state)["hypotheses"]))).compile()


@case("first@1", "second@2", runs=INVOKE)  # LangGraph itself cannot stream them asynchronously
def generators(persist: Persist) -> Any:
    """LangGraph adds their parts up."""

    def node(state: Any) -> Iterator[Any]:
        yield first(state)

    return persist(graph_of(node, second)).compile()


@case("first@1", "second@2", runs=ASYNC)
def async_generators(persist: Persist) -> Any:
    """LangGraph adds their parts up."""

    async def node(state: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(0)
        yield first(state)

    return persist(graph_of(node, second)).compile()


@case("first@1")
def injected_config_store_and_writer(persist: Persist) -> Any:
    """LangGraph injects them by the signature of the function, which must stay visible."""

    def node(state: Any, config: RunnableConfig, *, store: BaseStore, writer: StreamWriter) -> Any:
        assert config["metadata"]["langgraph_node"] == "node-0"
        assert callable(writer)
        store.put(("agents",), "first", {"seen": True})
        return first(state)

    from langgraph.store.memory import InMemoryStore  # noqa: PLC0415

    return persist(graph_of(node)).compile(store=InMemoryStore())


@case("first@1")
def injected_runtime(persist: Persist) -> Any:
    """LangGraph 0.6 and later pass a runtime instead."""
    try:
        from langgraph.runtime import Runtime  # noqa: PLC0415
    except ImportError as error:
        raise Unsupported("Runtime") from error

    def node(state: Any, runtime: Runtime[Any]) -> Any:
        assert type(runtime).__name__ == "Runtime"
        return first(state)

    return persist(graph_of(node)).compile()


@case("first@1")
def nodes_that_return_nothing_or_other_things(persist: Persist) -> Any:
    """They contribute nothing, and nothing is dropped."""
    return persist(graph_of(lambda _: None, first, lambda _: {}, lambda _: {"consensus": None})).compile()


@case("first@1")
def failing_nodes(persist: Persist) -> Any:
    """The host gets its own exception, and what was finished is sent."""

    def node(_state: Any) -> Any:
        raise LookupError("throttled")

    return persist(graph_of(first, node, second)).compile()


@case("first@1")
def watched_twice(persist: Persist) -> Any:
    """An executor may apply `persisting` in two places."""
    return persist(persist(graph_of(first))).compile()


@case("first@1", "second@2", runs=ASYNC)
def timeouts_and_error_handlers(persist: Persist) -> Any:
    """What a node returns in time, and what its handler returns instead of a node that was cut off."""

    async def slow(_state: Any) -> Any:
        await asyncio.sleep(10)

    def handler(state: Any) -> Any:
        return second(state)

    builder = graph_of(first)
    options = {**supported(builder.add_node, timeout=0.05), **supported(builder.add_node, error_handler=handler)}
    builder.add_node("slow", slow, **options)
    builder.add_edge("node-0", "slow")
    return persist(builder).compile()
