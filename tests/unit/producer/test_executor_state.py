"""The executor's graph state as recommendations, whatever types it is made of."""

import json
from dataclasses import asdict, dataclass, field
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from recommendation_producer import Outcome
from recommendation_producer._executor_state.names import camel_case
from recommendation_shared.envelope import Envelope
from tests.support.fakes.queue import NOTHING_HANGS, FakeQueue, running_producer


@dataclass(frozen=True, slots=True)
class AgentInput:
    """The input that all agents share."""

    incident_id: str = "incident-1"
    execution_id: str = "execution-1"
    session_id: str = "session-1"
    timestamp: str = "2026-01-31T11:59:00"
    evidence_bundle: dict[str, Any] = field(default_factory=dict)
    replay_metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One agent's output."""

    agent_id: str = "signal-intelligence"
    agent_version: str = "1.2.3"
    execution_id: str = "execution-1"
    timestamp: str | None = "2026-01-31T12:00:00.5"
    duration: int = 1200
    status: str = "SUCCESS"
    confidence: float | None = 0.8
    reasoning: str = "Errors rose at noon."
    disclaimer: str = "HYPOTHESIS_ONLY_NOT_AUTHORITATIVE"
    findings: Any = field(default_factory=lambda: {"suspected_cause": "deploy"})
    citations: Any = None
    cost: dict[str, Any] = field(default_factory=lambda: {"inputTokens": 10, "outputTokens": 2})
    error: dict[str, Any] | None = None
    replay_metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Consensus:
    """The consensus over all outputs."""

    aggregated_confidence: float = 0.7
    agreement_level: str = "STRONG"
    conflicts_detected: list[Any] = field(default_factory=list)
    unified_recommendation: dict[str, Any] = field(default_factory=lambda: {"action": "roll back"})
    minority_opinions: list[Any] = field(default_factory=list)
    quality_metrics: dict[str, Any] = field(default_factory=lambda: {"agents": 6})
    timestamp: str = "2026-01-31T12:00:01"


@dataclass
class State:
    """A graph state that is a dataclass instead of a mapping."""

    agent_input: Any = field(default_factory=AgentInput)
    hypotheses: Any = field(default_factory=lambda: {"signal-intelligence": Hypothesis()})
    consensus: Any = field(default_factory=Consensus)


def persisted(state: object) -> tuple[list[Outcome], list[dict[str, Any]]]:
    """Enqueue a state; return the outcomes, and the fields that arrived, in the same order."""
    queue = FakeQueue()
    with running_producer(queue) as producer:
        outcomes = producer.enqueue_state(state)
        balance = producer.flush(NOTHING_HANGS)
    assert balance.accepted == len(outcomes)
    assert sorted(queue.arrived_ids()) == sorted(
        str(outcome.recommendation_id) for outcome in outcomes if outcome.accepted
    )
    by_id = {
        fields["recommendationId"]: fields
        for fields in (Envelope.from_json(body).to_fields() for body in queue.arrived)
    }
    return outcomes, [by_id[outcome.recommendation_id] for outcome in outcomes if outcome.accepted]


def state_of(*hypotheses: Hypothesis, **parts: Any) -> dict[str, Any]:
    """Return a final state as LangGraph returns it."""
    return {
        "agent_input": AgentInput(),
        "hypotheses": {hypothesis.agent_id: hypothesis for hypothesis in hypotheses},
        "consensus": None,
        **parts,
    }


def test_agent_output_is_mapped_field_by_field() -> None:
    """The envelope's timestamp is the agent's completion time, read as UTC."""
    _, (fields,) = persisted(state_of(Hypothesis(citations=[{"id": "runbook"}])))
    assert fields == {
        "schemaVersion": 1,
        "recommendationId": "rec-incident-1-signal-intelligence-2026-01-31T12:00:00.5Z",
        "incidentId": "incident-1",
        "executionId": "execution-1",
        "agentType": "signal-intelligence",
        "timestamp": "2026-01-31T12:00:00.500000Z",
        "recommendation": {"suspected_cause": "deploy"},
        "confidence": 0.8,
        "reasoning": "Errors rose at noon.",
        "citations": [{"id": "runbook"}],
        "metadata": {
            "agentVersion": "1.2.3",
            "durationMs": 1200,
            "status": "SUCCESS",
            "disclaimer": "HYPOTHESIS_ONLY_NOT_AUTHORITATIVE",
            "cost": {"inputTokens": 10, "outputTokens": 2},
            "sessionId": "session-1",
        },
        "retention": 90,
    }


def test_consensus_is_a_separate_recommendation() -> None:
    """It comes last, and its content keeps the executor's names."""
    outcomes, (_, fields) = persisted(state_of(Hypothesis(), consensus=Consensus()))
    assert [outcome.accepted for outcome in outcomes] == [True, True]
    assert fields["recommendationId"] == "rec-incident-1-consensus-2026-01-31T12:00:01Z"
    assert fields["executionId"] == "execution-1"
    assert fields["confidence"] == 0.7
    assert fields["recommendation"] == {
        "agreement_level": "STRONG",
        "conflicts_detected": [],
        "unified_recommendation": {"action": "roll back"},
        "minority_opinions": [],
        "quality_metrics": {"agents": 6},
    }
    assert fields["metadata"] == {"sessionId": "session-1"}


def test_dataclasses_dicts_objects_and_models_give_the_same_envelopes() -> None:
    """Frozen dataclasses in memory become plain dicts in a checkpoint round trip."""

    class Model(BaseModel):
        agent_input: Any
        hypotheses: Any
        consensus: Any

    state = State()
    plain = asdict(state)
    assert json.loads(json.dumps(plain)) == plain
    states: list[object] = [
        state,
        plain,
        Model(**plain),
        SimpleNamespace(**vars(state)),
        {**plain, "hypotheses": [Hypothesis()]},
        {**plain, "hypotheses": (Hypothesis(),)},
    ]
    results = [persisted(variant)[1] for variant in states]
    assert len(results[0]) == 2
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("status", ["PARTIAL", "TIMEOUT", "FAILURE"])
def test_failed_agent_is_persisted_with_its_status_and_error(status: str) -> None:
    """The audit trail must show failed agents too."""
    error = {"type": "Timeout", "message": "no answer in 30 s"}
    _, (fields,) = persisted(
        state_of(Hypothesis(status=status, error=error, findings=None, confidence=None, reasoning=""))
    )
    assert (fields["metadata"]["status"], fields["metadata"]["error"]) == (status, error)
    assert (fields["recommendation"], fields["confidence"], fields["reasoning"]) == ({}, None, "")


class Agent(Enum):
    """Agent IDs as an enum, which some executors use."""

    SIGNALS = "signal_intelligence"


@pytest.mark.parametrize(
    "agent_id",
    ["signal-intelligence", "signal_intelligence", "SignalIntelligence", " Signal Intelligence ", Agent.SIGNALS],
)
def test_agent_id_becomes_kebab_case(agent_id: Any) -> None:
    """Executors write agent IDs in many ways; the table has one."""
    _, (fields,) = persisted(state_of(Hypothesis(agent_id=agent_id)))
    assert fields["agentType"] == "signal-intelligence"


@dataclass(frozen=True)
class Source:
    """A citation as an object of the executor's own type."""

    id: str


@pytest.mark.parametrize(
    ("citations", "expected"),
    [
        (None, []),
        ([], []),
        (({"id": "a"}, Source("b")), [{"id": "a"}, {"id": "b"}]),
        (["https://example.com", 7], [{"citation": "https://example.com"}, {"citation": 7}]),
        ("https://example.com", [{"citation": "https://example.com"}]),
        ({"id": "a"}, [{"id": "a"}]),
    ],
)
def test_citations_become_a_list_of_objects(citations: Any, expected: list[dict[str, Any]]) -> None:
    """None gives an empty list, and a value that is not an object is wrapped in one."""
    _, (fields,) = persisted(state_of(Hypothesis(citations=citations)))
    assert fields["citations"] == expected


@pytest.mark.parametrize(
    ("findings", "expected"),
    [(None, {}), ("text", {"findings": "text"}), ([1], {"findings": [1]}), (Source("a"), {"id": "a"})],
)
def test_findings_become_an_object(findings: Any, expected: dict[str, Any]) -> None:
    """A value that is not an object is wrapped in one."""
    _, (fields,) = persisted(state_of(Hypothesis(findings=findings)))
    assert fields["recommendation"] == expected


def test_reasoning_that_is_not_text_is_kept_as_json() -> None:
    """Some agents return a list of steps."""
    _, (fields,) = persisted(state_of(Hypothesis(reasoning=["look", "think"])))  # type: ignore[arg-type]  # the point
    assert fields["reasoning"] == '["look","think"]'


def test_replay_metadata_of_the_input_is_the_default_for_the_agents() -> None:
    """An agent's own replay metadata takes precedence."""
    given = AgentInput(replay_metadata={"of": "execution-0"})
    own = Hypothesis(agent_id="knowledge-rag", replay_metadata={"of": "own"})
    _, (first, second) = persisted(state_of(Hypothesis(), own, agent_input=given))
    assert first["metadata"]["replayMetadata"] == {"of": "execution-0"}
    assert second["metadata"]["replayMetadata"] == {"of": "own"}


def test_unknown_fields_are_kept_in_the_metadata() -> None:
    """A newer executor may add fields that this version does not know."""
    output = {**asdict(Hypothesis()), "prompt_hash": "abc"}
    _, (fields,) = persisted({"agent_input": AgentInput(), "hypotheses": {"signal-intelligence": output}})
    assert fields["metadata"]["promptHash"] == "abc"


def test_execution_and_session_have_fallbacks() -> None:
    """The execution may be in the hypothesis or the input, the session in the input or the state."""
    output = {**asdict(Hypothesis()), "execution_id": None}
    given = {"incident_id": "incident-1", "execution_id": "from-input"}
    _, (fields,) = persisted({"agent_input": given, "hypotheses": {"a": output}, "session_id": "from-state"})
    assert (fields["executionId"], fields["metadata"]["sessionId"]) == ("from-input", "from-state")


def test_run_counters_do_not_change_the_envelope() -> None:
    """An output is one record, whether taken when its node finished or from the final state."""
    counters = {"budget_remaining": 0.1, "retry_count": 3, "errors": [{}], "execution_trace": [{}]}
    assert persisted(state_of(Hypothesis(), **counters)) == persisted(state_of(Hypothesis()))


class Hostile:
    """An object that raises when it is read."""

    def __getattribute__(self, name: str) -> Any:
        """Raise where the producer reads."""
        if name == "__dict__":
            raise RuntimeError
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    ("state", "accepted", "refused"),
    [
        (None, 0, 0),
        ({}, 0, 0),
        ({"agent_input": AgentInput()}, 0, 0),
        ({"agent_input": AgentInput(), "hypotheses": None, "consensus": None}, 0, 0),
        ({"agent_input": AgentInput(), "hypotheses": {"a": None, "b": Hypothesis()}}, 1, 0),
        ({"hypotheses": {"a": Hypothesis()}}, 0, 1),
        ({"agent_input": AgentInput(), "hypotheses": {"a": "text", "b": Hypothesis()}}, 1, 1),
        ({"agent_input": AgentInput(), "hypotheses": {"a": Hostile(), "b": Hypothesis()}}, 1, 1),
        ({"agent_input": AgentInput(), "hypotheses": {"extra-agent": Hypothesis(agent_id="extra-agent")}}, 1, 0),
        ({"agent_input": AgentInput(), "hypotheses": 42, "consensus": Consensus()}, 1, 1),
        ({"agent_input": AgentInput(), "hypotheses": iter([Hypothesis()])}, 0, 1),
        ({"agent_input": AgentInput(), "consensus": Consensus()}, 1, 0),
        ({"agent_input": AgentInput(), "consensus": "agreed"}, 0, 1),
        ("a state", 0, 1),
        (42, 0, 1),
        (Hostile(), 0, 1),
    ],
)
def test_broken_or_partial_state_yields_what_it_can(state: object, accepted: int, refused: int) -> None:
    """It never raises, and counts what cannot be read as invalid."""
    outcomes, fields = persisted(state)
    assert len(fields) == accepted
    assert [outcome.reason for outcome in outcomes if not outcome.accepted] == ["invalid"] * refused


@given(st.from_regex(r"[A-Za-z0-9_é]{0,20}", fullmatch=True))
def test_metadata_names_are_camel_case_as_pydantic_writes_them(name: str) -> None:
    """The names of stored items came from pydantic, and another name would give another digest."""
    assert camel_case(name) == to_camel(name)


def test_iterator_of_outputs_is_left_to_the_host() -> None:
    """Reading it would consume it."""
    outputs = iter([Hypothesis()])
    persisted({"agent_input": AgentInput(), "hypotheses": outputs})
    assert next(outputs) == Hypothesis()
