"""Cases: every way to change the state."""

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from pydantic import BaseModel

from tests.langgraph.program.running import (
    INPUT,
    Persist,
    State,
    Unsupported,
    case,
    consensus,
    first,
    graph_of,
    output,
    second,
)


def _command() -> Any:
    try:
        from langgraph.types import Command  # noqa: PLC0415
    except ImportError as error:
        raise Unsupported("Command") from error
    return Command


@case("first@1", "second@2")
def changed_in_place_and_returned(persist: Persist) -> Any:
    """The state before and after is one object."""

    def one(state: Any) -> Any:
        state.setdefault("hypotheses", {})["first"] = output("first", 1)
        return state

    def two(state: Any) -> Any:
        hypotheses = state["hypotheses"]
        hypotheses["second"] = output("second", 2)
        return {"hypotheses": hypotheses}

    return persist(graph_of(one, two)).compile()


@case("first@1", "first@5", "consensus@3")
def an_output_changed_in_place(persist: Persist) -> Any:
    """It is another output, since it completed at another time."""

    def again(state: Any) -> Any:
        state["hypotheses"]["first"]["timestamp"] = "2026-01-31T12:00:05"
        return {"hypotheses": state["hypotheses"]}

    def agree(state: Any) -> Any:
        return {**state, **consensus(state)}

    return persist(graph_of(first, again, agree)).compile()


@case("first@1", "second@2")
def whole_states_returned(persist: Persist) -> Any:
    """A node may return all that it was given beside what it adds, as copies."""

    def node(state: Any) -> Any:
        copies = {name: dict(value) for name, value in state["hypotheses"].items()}
        return {**state, "hypotheses": {**copies, **second(state)["hypotheses"]}}

    return persist(graph_of(first, node, lambda state: state)).compile()


class Model(BaseModel):
    """A pydantic state."""

    agent_input: Any = None
    hypotheses: Annotated[dict[str, Any], operator.or_] = {}
    consensus: Any = None


@dataclass
class Data:
    """A dataclass state."""

    agent_input: Any = None
    hypotheses: Annotated[dict[str, Any], operator.or_] = field(default_factory=dict)
    consensus: Any = None


def _objects(persist: Persist, schema: Any) -> Any:
    def one(state: Any) -> Any:
        state.hypotheses["first"] = output("first", 1)
        return state

    def two(state: Any) -> Any:
        return schema(agent_input=state.agent_input, hypotheses={**state.hypotheses, **second(state)["hypotheses"]})

    return persist(graph_of(one, two, consensus, schema=schema)).compile()


@case("first@1", "second@2", "consensus@3")
def pydantic_states(persist: Persist) -> Any:
    """LangGraph passes a model to each node, which may return it."""
    return _objects(persist, Model)


@case("first@1", "second@2", "consensus@3")
def dataclass_states(persist: Persist) -> Any:
    """LangGraph passes an object to each node, which may return it."""
    return _objects(persist, Data)


class Finding(BaseModel):
    """An agent's output as a model, which keeps fields it does not know."""

    model_config = {"extra": "allow"}
    agent_id: str
    timestamp: str


class Reported(NamedTuple):
    """An agent's output as a named tuple."""

    agent_id: str
    timestamp: str


@case("first@1", "second@2", "third@4")
def outputs_of_every_type(persist: Persist) -> Any:
    """The same output comes back as a dict from a checkpoint."""

    def node(_state: Any) -> Any:
        reported = {"second": Reported("second", "2026-01-31T12:00:02")}
        return {"hypotheses": {"first": Finding.model_validate({**output("first", 1), "x": 1}), **reported}}

    def again(state: Any) -> Any:
        as_dicts = {
            "first": state["hypotheses"]["first"].model_dump(),
            "second": state["hypotheses"]["second"]._asdict(),
        }
        return {"hypotheses": {**as_dicts, "third": output("third", 4)}}

    return persist(graph_of(node, again)).compile()


@case("first@1", "second@2")
def commands(persist: Persist) -> Any:
    """Their update is a mapping or key-value pairs; a key may occur twice."""
    command = _command()
    pairs = [("hypotheses", {"first": output("first", 1)}), ("hypotheses", {"second": output("second", 2)})]
    return persist(graph_of(lambda _: command(update=pairs[:1]), lambda _: command(update=dict(pairs)))).compile()


@case("first@1", "second@2", "consensus@3")
def lists_of_commands(persist: Persist) -> Any:
    """Beside commands, the list may hold updates."""
    command = _command()
    pairs = [("hypotheses", {"first": output("first", 1)}), ("hypotheses", {"second": output("second", 2)})]
    return persist(graph_of(lambda state: [command(update=pairs), command(update=consensus(state))])).compile()


@case("first@1")
def controls(persist: Persist) -> Any:
    """What commands were at first."""
    try:
        from langgraph.types import Control  # type: ignore[attr-defined]  # noqa: PLC0415 - only in 0.2
    except ImportError as error:
        raise Unsupported("Control") from error
    return persist(graph_of(lambda state: Control(update_state=first(state)))).compile()


def _overwriting(persist: Persist, value: Any) -> Any:
    return persist(graph_of(second, lambda _: {"hypotheses": value})).compile()


FIRST = {"first": output("first", 1)}


@case("first@1", "second@2")
def overwrites(persist: Persist) -> Any:
    """The value replaces what the reducer has merged."""
    try:
        from langgraph.types import Overwrite  # noqa: PLC0415
    except ImportError as error:
        raise Unsupported("Overwrite") from error
    return _overwriting(persist, Overwrite(FIRST))


@case("first@1", "second@2")
def overwrites_as_mappings(persist: Persist) -> Any:
    """The form that needs no import."""
    return _overwriting(persist, {"__overwrite__": FIRST})


@case("first@1", "second@2")
def overwrites_from_json(persist: Persist) -> Any:
    """What JSON makes of the first form."""
    return _overwriting(persist, {"value": FIRST, "type": "__overwrite__"})


@case("first@1", "second@2")
def sends_with_a_payload_of_their_own(persist: Persist) -> Any:
    """The node sees neither the incident nor the execution."""
    builder = StateGraph(State)
    builder.add_node("agent", lambda payload: {"hypotheses": {payload["name"]: output(**payload["of"])}})
    tasks = [{"name": name, "of": {"agent_id": name, "second": at}} for name, at in (("first", 1), ("second", 2))]
    builder.add_conditional_edges(START, lambda _: [Send("agent", task) for task in tasks], ["agent"])
    builder.add_edge("agent", END)
    return persist(builder).compile()


class Narrow(TypedDict, total=False):
    """All that one node is given."""

    consensus: Any


@case("first@1", "second@2")
def narrowed_input_schemas(persist: Persist) -> Any:
    """The node sees neither the incident nor the other outputs, which it returns again."""
    builder = graph_of(first)

    def node(state: Narrow) -> Any:
        assert set(state) <= {"consensus"}
        return {"hypotheses": {**FIRST, "second": output("second", 2)}}

    builder.add_node("narrow", node)
    builder.add_edge("node-0", "narrow")
    return persist(builder).compile()


@case("first@1")
def incidents_in_the_update(persist: Persist) -> Any:
    """The first node may be the one that makes the agents' input."""

    def node(state: Any) -> Any:
        return {"agent_input": INPUT, **first(state)}

    return persist(graph_of(node)).compile()
