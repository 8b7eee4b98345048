"""LangGraph: each agent's output is enqueued the moment its node finishes, so a later crash loses nothing.

LangGraph itself is not imported: the builder's nodes and runnables are used by name (as of langgraph 1.x).
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from copy import copy
from typing import Any, Protocol, TypeVar

from recommendation_producer._executor_state import UNREADABLE, as_mapping


class EnqueuesState(Protocol):
    """The part of the producer that is used here."""

    def enqueue_state(self, state: object) -> object:
        """Enqueue what a graph state holds."""


class GraphBuilder(Protocol):
    """The part of `langgraph.graph.StateGraph` that is used here: node names to specs with a `runnable`."""

    @property
    def nodes(self) -> Mapping[str, Any]:
        """Node specs by name."""


_B = TypeVar("_B", bound=GraphBuilder)


def persisting(graph_builder: _B, producer: EnqueuesState) -> _B:
    """Make every node of a graph that is not yet compiled hand its new hypotheses and consensus to the producer.

    Sync and async nodes, runnables and subgraphs alike; results, exceptions and configuration stay as they were.
    Call it once, after the last `add_node`. Returns the same builder.
    """
    for spec in graph_builder.nodes.values():
        spec.runnable = _persisted(spec.runnable, producer)
    return graph_builder


def _persisted(node: Any, producer: EnqueuesState) -> Any:
    def invoke(state: Any, config: Any = None, **kwargs: Any) -> Any:
        result = node.invoke(state, config, **kwargs)
        _enqueue_update(producer, state, result)
        return result

    async def ainvoke(state: Any, config: Any = None, **kwargs: Any) -> Any:
        result = await node.ainvoke(state, config, **kwargs)
        _enqueue_update(producer, state, result)
        return result

    async def astream(state: Any, config: Any = None, **kwargs: Any) -> AsyncIterator[Any]:
        yield await ainvoke(state, config, **kwargs)

    # A copy keeps its type, by which LangGraph finds subgraphs; a sequence would be taken apart, so it is bound.
    persisted = node.bind() if hasattr(node, "steps") else copy(node)
    for method in (invoke, ainvoke, astream):
        object.__setattr__(persisted, method.__name__, method)  # some runnables are pydantic models, which refuse
    return persisted


def _enqueue_update(producer: EnqueuesState, state: object, result: object) -> None:
    try:
        news: list[object] = [_news(as_mapping(state), update) for update in _updates(result)]
    except Exception:  # noqa: BLE001 - whatever a host's objects raise; the producer counts it as invalid
        news = [UNREADABLE]
    for one in news:
        producer.enqueue_state(one)


def _updates(result: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the updates that a node returned: a mapping, key-value pairs, a state object, `Command`s, or a list."""
    if isinstance(result, list | tuple):
        if all(isinstance(one, tuple) for one in result):
            yield dict(result)
            return
        for one in result:
            yield from _updates(one)
    elif hasattr(result, "goto"):  # a Command
        yield from _updates(result.update)
    else:
        yield as_mapping(result)


def _news(state: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the update adds to the state, as a state of its own.

    A node may return all hypotheses so far: those that it was given are not new.
    """
    known, hypotheses = state.get("hypotheses"), update.get("hypotheses")
    if isinstance(known, Mapping) and isinstance(hypotheses, Mapping):
        hypotheses = {name: output for name, output in hypotheses.items() if output is not known.get(name)}
    news = {
        "agent_input": state.get("agent_input") or update.get("agent_input"),
        "session_id": state.get("session_id") or update.get("session_id"),
        "hypotheses": hypotheses,
        "consensus": None if update.get("consensus") is state.get("consensus") else update.get("consensus"),
    }
    return {name: part for name, part in news.items() if part is not None}
