"""Cases: graphs within graphs."""

import operator
from typing import Annotated, Any, TypedDict

from langchain_core.runnables import RunnableLambda

from tests.langgraph.program.running import (
    ALL,
    SCRIPT,
    Persist,
    case,
    consensus,
    first,
    graph_of,
    output,
    second,
)
from tests.langgraph.program.states import _command


@case("first@1", "second@2", "consensus@3", runs=ALL)
def subgraphs(persist: Persist) -> Any:
    """Only the outer graph is watched: a subgraph is a node that returns its whole state."""
    inner = graph_of(first, second).compile()
    return persist(graph_of(inner, consensus)).compile()


@case("first@1", "second@2", "consensus@3")
def subgraphs_of_subgraphs_all_watched(persist: Persist) -> Any:
    """Each output is handed over by the innermost node, and not again by the outer ones."""
    innermost = persist(graph_of(first)).compile()
    inner = persist(graph_of(innermost, second)).compile()
    return persist(graph_of(inner, consensus)).compile()


@case("first@1", "second@2")
def crash_within_a_subgraph(persist: Persist) -> Any:
    """What its other nodes finished is sent, if they are watched."""

    def crash(_state: Any) -> Any:
        raise LookupError("throttled")

    return persist(graph_of(first, persist(graph_of(second, crash)).compile())).compile()


class Alone(TypedDict, total=False):
    """A subgraph's state that knows nothing of the incident."""

    hypotheses: Annotated[dict[str, Any], operator.or_]


@case("first@1", "second@2")
def subgraphs_that_do_not_know_the_incident(persist: Persist) -> Any:
    """Their nodes are nested in one that does."""
    inner = persist(graph_of(first, schema=Alone)).compile()
    return persist(graph_of(inner, second)).compile()


@case("first@1", "second@2")
def subgraphs_called_by_a_node(persist: Persist) -> Any:
    """The node may give the subgraph an input of its own."""
    inner = persist(graph_of(first, schema=Alone)).compile()
    return persist(graph_of(lambda _: inner.invoke({"hypotheses": {}}), second)).compile()


def _to_parent(persist: Persist, *, inner_is_watched: bool, update: Any) -> Any:
    command = _command()
    inner = graph_of(lambda _: command(graph=command.PARENT, goto="node-1", update=update), schema=Alone)
    return persist(graph_of((persist(inner) if inner_is_watched else inner).compile(), second)).compile()


@case("first@1", "second@2")
def commands_to_the_parent_graph(persist: Persist) -> Any:
    """LangGraph raises them through the subgraph's node."""
    return _to_parent(persist, inner_is_watched=False, update={"hypotheses": {"first": output("first", 1)}})


@case("consensus@3", "first@1", "second@2")
def commands_to_the_parent_graph_with_a_list_of_updates(persist: Persist) -> Any:
    """They may be key-value pairs."""
    pairs = [("hypotheses", {"first": output("first", 1)}), *consensus(None).items()]
    return _to_parent(persist, inner_is_watched=False, update=pairs)


@case("first@1", "second@2")
def commands_to_the_parent_graph_from_watched_nodes(persist: Persist) -> Any:
    """Both the inner and the outer node see them; they are sent once."""
    return _to_parent(persist, inner_is_watched=True, update={"hypotheses": {"first": output("first", 1)}})


@case("first@1", runs=SCRIPT)
def subgraphs_still_found_and_copied(persist: Persist) -> Any:
    """Drawing, checkpoints and configuration depend on it."""
    outer = persist(graph_of(graph_of(first).compile())).compile()

    def run() -> Any:
        names = [name for name, _ in outer.get_subgraphs()]
        drawn = sorted(outer.get_graph(xray=True).nodes)
        copied = outer.nodes["node-0"].bound.with_config(tags=["copied"])
        result = copied.invoke({"agent_input": {"incident_id": "incident-1", "execution_id": "execution-1"}})
        return names, drawn, type(copied).__name__, result

    return run


def _sequence(persist: Persist) -> Any:
    copied: Any = RunnableLambda(lambda state: {**state})
    last_is_graph = copied | graph_of(first).compile()
    graph_between = copied | graph_of(second).compile() | copied
    return persist(graph_of(last_is_graph, graph_between)).compile()


@case("first@1", "second@2")
def subgraphs_in_a_sequence(persist: Persist) -> Any:
    """A runnable may come before a subgraph in one node."""
    return _sequence(persist)


@case(runs=SCRIPT)
def subgraphs_in_a_sequence_still_found(persist: Persist) -> Any:
    """LangGraph looks for them among the steps."""
    graph = _sequence(persist)
    return lambda: [name for name, _ in graph.get_subgraphs()]


@case("first@1", "other:first@1", "second@2")
def graphs_about_another_incident(persist: Persist) -> Any:
    """A node may run one, and return what it found; that is one recommendation for each of the two incidents."""
    inner = persist(graph_of(first)).compile()
    other = {"agent_input": {"incident_id": "incident-2", "execution_id": "execution-2"}}

    def node(_state: Any) -> Any:
        return {"hypotheses": inner.invoke(other)["hypotheses"]}

    return persist(graph_of(node, second)).compile()
