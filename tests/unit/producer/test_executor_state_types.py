"""The executor's graph state in whatever types people write it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, make_dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

import attrs  # comes with jsonschema
import pytest
from langgraph.types import GraphOutput, Overwrite, PregelTask, StateSnapshot
from pydantic import BaseModel, ConfigDict, Field, RootModel, computed_field, field_serializer

from tests.support.fakes.queue import NOTHING_HANGS, FakeQueue, running_producer

GIVEN = {"incident_id": "incident-1", "execution_id": "execution-1"}
FIRST: dict[str, Any] = {"agent_id": "first", "timestamp": "2026-01-31T12:00:01", "findings": {"cause": "deploy"}}
SECOND: dict[str, Any] = {"agent_id": "second", "timestamp": "2026-01-31T12:00:02", "findings": {"cause": "deploy"}}
FIRST_ID = "rec-incident-1-first-2026-01-31T12:00:01Z"
SECOND_ID = "rec-incident-1-second-2026-01-31T12:00:02Z"


def enqueued(state: object) -> list[dict[str, Any]]:
    """Return the fields of what arrived; nothing may be dropped."""
    queue = FakeQueue()
    with running_producer(queue) as producer:
        producer.enqueue_state(state)
        assert producer.flush(NOTHING_HANGS).dropped == {}
    return [json.loads(body) for body in queue.arrived]


def ids_in(state: object) -> list[str]:
    """Return the IDs of what arrived."""
    return [fields["recommendationId"] for fields in enqueued(state)]


def state_of(hypotheses: Any) -> dict[str, Any]:
    """Return a state with these hypotheses."""
    return {"agent_input": GIVEN, "hypotheses": hypotheses}


@attrs.define
class AttrsOutput:
    """An agent's output as an attrs class, which has slots."""

    agent_id: str
    timestamp: str
    findings: Any


class TupleOutput(NamedTuple):
    """An agent's output as a named tuple."""

    agent_id: str
    timestamp: str
    findings: Any


class SlotsOutput:
    """An agent's output as a plain object with slots, and a text of its own."""

    __slots__ = ("agent_id", "findings", "timestamp")

    def __init__(self, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        """Say something."""
        return "an output"


@dataclass
class Unset:
    """An agent's output with a field that nobody has set."""

    agent_id: str
    timestamp: str
    findings: Any
    citations: list[Any] = field(init=False)


class ModelOutput(BaseModel):
    """An agent's output as a model that keeps fields it does not know."""

    model_config = ConfigDict(extra="allow")
    agent_id: str
    timestamp: str
    findings: Any


OUTPUTS = [AttrsOutput, TupleOutput, SlotsOutput, Unset, ModelOutput, SimpleNamespace]


@pytest.mark.parametrize("kind", OUTPUTS)
def test_output_may_be_of_any_type(kind: Any) -> None:
    """What arrives is what the same output as a mapping gives."""
    assert enqueued(state_of({"first": kind(**FIRST)})) == enqueued(state_of({"first": FIRST}))


class ModelHypotheses(BaseModel):
    """The hypotheses as a model with a field for each agent."""

    first: Any
    second: Any = None
    third: Any = None


class TupleHypotheses(NamedTuple):
    """The hypotheses as a named tuple with a field for each agent."""

    first: Any
    second: Any


CONTAINERS = [
    ModelHypotheses(first=ModelOutput(**FIRST), second=AttrsOutput(**SECOND)),
    TupleHypotheses(FIRST, SECOND),
    attrs.make_class("AttrsHypotheses", ["first", "second"])(FIRST, SECOND),
    make_dataclass("DataHypotheses", ["first", "second"])(FIRST, SECOND),
    SimpleNamespace(first=FIRST, second=SECOND),
    RootModel[dict[str, Any]]({"first": FIRST, "second": SECOND}),
    [FIRST, SECOND],
    (AttrsOutput(**FIRST), TupleOutput(**SECOND)),
    {"first": FIRST, "second": SECOND}.values(),
    Overwrite({"first": FIRST, "second": SECOND}),
    {"__overwrite__": {"first": FIRST, "second": SECOND}},
    {"type": "__overwrite__", "value": {"first": FIRST, "second": SECOND}},
]


@pytest.mark.parametrize("hypotheses", CONTAINERS, ids=lambda container: type(container).__name__)
def test_hypotheses_may_be_in_any_container(hypotheses: Any) -> None:
    """A model's field that is None is an agent that did not run."""
    assert ids_in(state_of(hypotheses)) == [FIRST_ID, SECOND_ID]


@pytest.mark.parametrize("kind", OUTPUTS)
def test_hypotheses_may_be_a_single_output(kind: Any) -> None:
    """A graph of one agent has no need for a container."""
    assert ids_in(state_of(kind(**FIRST))) == [FIRST_ID]


@pytest.mark.parametrize("value", [None, {"agreement_level": "STRONG", "timestamp": "2026-01-31T12:00:03"}])
def test_consensus_may_be_overwritten(value: Any) -> None:
    """None is no consensus."""
    expected = [] if value is None else ["rec-incident-1-consensus-2026-01-31T12:00:03Z"]
    assert ids_in({"agent_input": GIVEN, "consensus": Overwrite(value)}) == expected


class ModelState(BaseModel):
    """A state as a model, with a field that is never dumped."""

    model_config = ConfigDict(extra="allow")
    agent_input: Any
    hypotheses: Any = Field(exclude=True)


class TupleState(NamedTuple):
    """A state as a named tuple."""

    agent_input: Any
    hypotheses: Any


STATES = [
    ModelState(agent_input=GIVEN, hypotheses={"first": FIRST}),
    attrs.make_class("AttrsState", ["agent_input", "hypotheses"])(GIVEN, {"first": FIRST}),
    TupleState(GIVEN, {"first": FIRST}),
    make_dataclass("DataState", ["agent_input", "hypotheses", ("consensus", Any, field(init=False))])(GIVEN, [FIRST]),
    SimpleNamespace(agent_input=SimpleNamespace(**GIVEN), hypotheses={"first": FIRST}),
    GraphOutput({"agent_input": GIVEN, "hypotheses": {"first": FIRST}}),
    {"incident_id": "incident-1", "execution_id": "execution-1", "hypotheses": {"first": FIRST}},
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_state_may_be_of_any_type(state: Any) -> None:
    """It may also name the incident itself, without an input that the agents share."""
    assert ids_in(state) == [FIRST_ID]


def snapshot(values: Any, *tasks: PregelTask) -> StateSnapshot:
    """Return what `get_state` returns."""
    return StateSnapshot(values, (), {"configurable": {}}, None, None, None, tasks, ())


def task(**finished: Any) -> PregelTask:
    """Return a task of a snapshot."""
    return PregelTask("task-1", "node", (), **finished)


def test_snapshot_is_read_like_its_values() -> None:
    """`get_state` returns it, and some executors pass it on as it is."""
    assert ids_in(snapshot(state_of({"first": FIRST}))) == [FIRST_ID]
    assert ids_in(snapshot({})) == []


def test_what_the_tasks_of_a_snapshot_finished_is_found() -> None:
    """The values lack what a branch returned if its neighbour raised, and what a subgraph holds while it waits."""
    inner = snapshot({"hypotheses": {"second": SECOND}})
    config = {"configurable": {"thread_id": "1"}}  # what `state` is unless subgraphs are asked for
    tasks = [task(result={"hypotheses": {"first": FIRST}}), task(state=inner), task(state=config), task()]
    assert ids_in(snapshot({"agent_input": GIVEN}, *tasks)) == [FIRST_ID, SECOND_ID]


def test_what_a_task_has_in_common_with_the_values_is_found_once() -> None:
    """Newer versions apply a task's result to the values already."""
    assert ids_in(snapshot(state_of({"first": FIRST}), task(result={"hypotheses": {"first": FIRST}}))) == [FIRST_ID]


class Finding(BaseModel):
    """Findings with fields of every kind."""

    model_config = ConfigDict(extra="allow")
    cause: str
    secret: str = Field(default="s3cret", exclude=True)

    @computed_field
    def severity(self) -> str:
        """Be computed."""
        return f"severe {self.cause}"


def test_findings_leave_as_the_model_dumps_them() -> None:
    """Computed fields and extras do, excluded fields never."""
    (fields,) = enqueued(
        state_of({"first": {**FIRST, "findings": Finding.model_validate({"cause": "deploy", "extra": 1})}})
    )
    assert fields["recommendation"] == {"cause": "deploy", "extra": 1, "severity": "severe deploy"}


def test_extra_fields_of_an_output_are_kept() -> None:
    """A failed agent would otherwise look like a successful one."""
    more = {"status": "TIMEOUT", "reasoning": "No answer.", "confidence": 0.1}
    output = ModelOutput.model_validate({**FIRST, **more})
    (fields,) = enqueued(state_of({"first": output}))
    assert (fields["metadata"]["status"], fields["reasoning"], fields["confidence"]) == ("TIMEOUT", "No answer.", 0.1)


class Sealed(BaseModel):
    """A model whose serializer raises."""

    value: int = 1

    @field_serializer("value")
    def refuse(self, _value: int) -> int:
        """Raise."""
        raise ValueError


@pytest.mark.parametrize("name", ["findings", "citations", "reasoning", "cost"])
def test_value_that_cannot_be_represented_costs_itself_only(name: str) -> None:
    """It is marked in its place, and the recommendation arrives."""
    (fields,) = enqueued(state_of({"first": {**FIRST, name: [{"part": Sealed()}]}}))
    assert "<Sealed.value: PydanticSerializationError>" in json.dumps(fields)
    assert fields["recommendationId"] == FIRST_ID


class Prickly:
    """Findings that cannot be read."""

    def __getattribute__(self, name: str) -> Any:
        """Raise where the producer reads."""
        raise RuntimeError(name)


def test_findings_that_cannot_be_read_are_marked() -> None:
    """The agent's other fields arrive."""
    (fields,) = enqueued(state_of({"first": {**FIRST, "findings": Prickly(), "reasoning": "Because."}}))
    assert fields["recommendation"] == {"findings": "<Prickly: RuntimeError>"}
    assert fields["reasoning"] == "Because."


def test_generators_are_left_to_the_host() -> None:
    """They are named in their place."""

    def steps() -> Iterator[int]:
        yield 1

    running = {name: steps() for name in ("findings", "citations", "reasoning", "cost")}
    (fields,) = enqueued(state_of({"first": {**FIRST, **running}}))
    assert [next(generator) for generator in running.values()] == [1] * 4
    assert fields["citations"] == [{"citation": "<generator>"}]


@pytest.mark.parametrize("citations", [{"b", "a"}, frozenset({"b", "a"})])
def test_citations_in_a_set_have_the_same_order_in_every_process(citations: Any) -> None:
    """The order of a set of strings depends on the process."""
    (fields,) = enqueued(state_of({"first": {**FIRST, "citations": citations}}))
    assert fields["citations"] == [{"citation": "a"}, {"citation": "b"}]


def test_single_citation_may_be_a_model() -> None:
    """Models can be iterated over, and are not lists."""
    (fields,) = enqueued(state_of({"first": {**FIRST, "citations": ModelHypotheses(first="runbook")}}))
    assert fields["citations"] == [{"first": "runbook", "second": None, "third": None}]


def test_ids_may_be_uuids_and_numbers() -> None:
    """They become text."""
    uuid = UUID(int=7)
    (fields,) = enqueued({"agent_input": {"incident_id": 42, "execution_id": uuid}, "hypotheses": [FIRST]})
    assert (fields["incidentId"], fields["executionId"]) == ("42", str(uuid))


def test_output_without_any_name_is_counted() -> None:
    """Nobody would find it under a made-up name."""
    output = {name: value for name, value in FIRST.items() if name != "agent_id"}
    with running_producer(FakeQueue()) as producer:
        (outcome,) = producer.enqueue_state(state_of([output]))
    assert outcome.reason == "invalid"
    assert outcome.detail is not None
    assert "agentType" in outcome.detail
