"""LangGraph integration: each agent's output is enqueued as soon as its node finishes, so a later crash loses nothing.

Works with every langgraph since 0.2. LangGraph itself is not imported.
"""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from recommendation_producer._langgraph.nodes import EnqueuesState, watch

__all__ = ["EnqueuesState", "GraphBuilder", "persisting"]


class GraphBuilder(Protocol):
    """The part of `langgraph.graph.StateGraph` used here: node names, and their specs with a `runnable`."""

    @property
    def nodes(self) -> Mapping[str, Any]:
        """Node specs by name."""


_B = TypeVar("_B", bound=GraphBuilder)


def persisting(graph_builder: _B, producer: EnqueuesState) -> _B:
    """Make every node of an uncompiled graph hand its new hypotheses and consensus to the producer.

    What is new is found by content, so it makes no difference whether a node returns an update, a `Command` or the
    state that it changed in place. Works for sync and async nodes, runnables and subgraphs, whose results, exceptions
    and configuration stay the same. Call it once, after the last `add_node`; nodes of a subgraph are included in the
    subgraph's own result, and are only watched themselves if its builder is passed here as well. Returns the same
    builder.

    An output that LangGraph takes from a node's cache or from a checkpoint was not produced by this run, and a default
    error handler becomes a node only at `compile()`. Their outputs are enqueued by `enqueue_state` with the final
    state. Enqueueing both ways does no harm.
    """
    watch(graph_builder, producer)
    return graph_builder
