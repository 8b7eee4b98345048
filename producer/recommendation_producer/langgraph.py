"""LangGraph integration: each agent's output is enqueued as soon as its node finishes, so a later crash loses nothing.

LangGraph itself is not imported: the builder's nodes and runnables are used by name (as of langgraph 1.x).
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from copy import copy
from typing import Any, Protocol, TypeVar

from recommendation_producer._executor_state import UNREADABLE, as_mapping


class EnqueuesState(Protocol):
    """The part of the producer used here."""

    def enqueue_state(self, state: object) -> object:
        """Enqueue the outputs in a graph state."""


class GraphBuilder(Protocol):
    """The part of `langgraph.graph.StateGraph` used here: node names, and their specs with a `runnable`."""

    @property
    def nodes(self) -> Mapping[str, Any]:
        """Node specs by name."""


_B = TypeVar("_B", bound=GraphBuilder)


def persisting(graph_builder: _B, producer: EnqueuesState) -> _B:
    """Make every node of an uncompiled graph hand its new hypotheses and consensus to the producer.

    Works for sync and async nodes, runnables and subgraphs, whose results, exceptions and configuration stay the
    same. Call it once, after the last `add_node`. Returns the same builder.
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

    # A copy keeps its type, by which LangGraph finds subgraphs. A sequence would be taken apart, so it is bound.
    persisted = node.bind() if hasattr(node, "steps") else copy(node)
    for method in (invoke, ainvoke, astream):
        object.__setattr__(persisted, method.__name__, method)  # because runnables that are pydantic models refuse
    return persisted


def _enqueue_update(producer: EnqueuesState, state: object, result: object) -> None:
    try:
        additions: list[object] = [_additions(as_mapping(state), update) for update in _updates(result)]
    except Exception:  # noqa: BLE001 - a host's object may raise anything; the producer counts it as invalid
        additions = [UNREADABLE]
    for addition in additions:
        producer.enqueue_state(addition)


def _updates(result: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the updates that a node returned: a mapping, key-value pairs, a state object, `Command`s, or a list."""
    if isinstance(result, list | tuple):
        if all(isinstance(part, tuple) for part in result):
            yield dict(result)
            return
        for part in result:
            yield from _updates(part)
    elif hasattr(result, "goto"):  # a Command
        yield from _updates(result.update)
    else:
        yield as_mapping(result)


def _additions(state: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the update adds to the state, in the shape of a state.

    A node may return all hypotheses so far; the ones it was given are left out.
    """
    known, hypotheses = state.get("hypotheses"), update.get("hypotheses")
    if isinstance(known, Mapping) and isinstance(hypotheses, Mapping):
        hypotheses = {name: output for name, output in hypotheses.items() if output is not known.get(name)}
    additions = {
        "agent_input": state.get("agent_input") or update.get("agent_input"),
        "session_id": state.get("session_id") or update.get("session_id"),
        "hypotheses": hypotheses,
        "consensus": None if update.get("consensus") is state.get("consensus") else update.get("consensus"),
    }
    return {name: part for name, part in additions.items() if part is not None}
