"""The example executor: its graph, its final state and its replays."""

from dataclasses import asdict
from datetime import date
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from examples.executor.agents import UPSTREAM
from examples.executor.execution import Execution
from examples.executor.graph import build_graph
from examples.executor.state import ExecutorState
from recommendation_shared.envelope.identity import parse_instant

FACEBOOK = "incident-facebook-2021-10-04"
ROBLOX = "incident-roblox-2021-10-28"
GITLAB = "incident-gitlab-2017-01-31"
DATADOG = "incident-datadog-2023-03-08"
TIMEOUT_MILLISECONDS = 60_000


def run(incident_id: str, *, replay: bool = False, day: date | None = None) -> dict[str, Any]:
    """Return the final state of one execution."""
    state: dict[str, Any] = (
        build_graph().compile().invoke(Execution(incident_id, replay=replay, day=day).initial_state())
    )
    return state


def test_agents_that_need_no_other_run_as_parallel_branches() -> None:
    """One step of the graph runs four agents; the others run after those that they need."""
    stream = build_graph().compile().stream(Execution(GITLAB).initial_state(), stream_mode="debug")
    steps: dict[int, set[str]] = {}
    for event in stream:
        if event["type"] == "task":
            steps.setdefault(event["step"], set()).add(event["payload"]["name"])
    assert [names for _, names in sorted(steps.items())] == [
        {"signal-intelligence", "historical-pattern", "change-intelligence", "knowledge-rag"},
        {"risk-blast-radius"},
        {"response-strategy"},
        {"reach-consensus"},
    ]


def test_an_agent_starts_after_all_agents_that_it_needs() -> None:
    """Completion times follow the order of the graph."""
    hypotheses = run(GITLAB)["hypotheses"]
    for agent_id, upstream in UPSTREAM.items():
        for awaited in upstream:
            assert parse_instant(hypotheses[awaited].timestamp) < parse_instant(hypotheses[agent_id].timestamp)


def test_final_state_holds_every_documented_key() -> None:
    """The architecture lists the keys of a finished state."""
    state = run(GITLAB)
    assert set(state) == set(ExecutorState.__annotations__)
    assert state["session_id"] == state["agent_input"].session_id
    assert state["start_timestamp"] == "2017-01-31T23:41:00"
    assert state["cost_guardian"]["within_budget"] is True
    assert state["budget_remaining"] + state["cost_guardian"]["spent_usd"] == pytest.approx(0.50)
    assert [step["node"] for step in state["execution_trace"]][-3:] == [
        "risk-blast-radius",
        "response-strategy",
        "reach-consensus",
    ]


def test_failed_agent_is_in_the_state_with_its_error() -> None:
    """The graph continues without it, and the audit trail must show the failure."""
    state = run(FACEBOOK)
    failed = state["hypotheses"]["change-intelligence"]
    assert failed.status == "FAILURE"
    assert failed.error["type"] == "ToolUnavailable"
    assert failed.confidence is None
    assert state["errors"] == [{"agent_id": "change-intelligence", **failed.error}]
    assert state["retry_count"] == 2
    assert state["consensus"].quality_metrics["agents_not_counted"] == {"change-intelligence": "FAILURE"}


def test_timed_out_agent_used_all_of_its_time() -> None:
    """It has no findings."""
    timed_out = run(ROBLOX)["hypotheses"]["knowledge-rag"]
    assert timed_out.status == "TIMEOUT"
    assert timed_out.duration == TIMEOUT_MILLISECONDS
    assert timed_out.findings == {}


def test_replay_is_a_separate_execution() -> None:
    """It has its own ID and completion times, and says which execution it repeats."""
    original, replay = run(ROBLOX), run(ROBLOX, replay=True)
    assert replay["agent_input"].execution_id != original["agent_input"].execution_id
    assert replay["agent_input"].replay_metadata["replay_of"] == original["agent_input"].execution_id
    assert replay["hypotheses"]["knowledge-rag"].status == "SUCCESS"
    for agent_id, output in replay["hypotheses"].items():
        assert output.timestamp > original["hypotheses"][agent_id].timestamp
        assert output.replay_metadata == replay["agent_input"].replay_metadata


def test_replay_of_an_incident_without_one_is_refused() -> None:
    """The original is not run again under the name of a replay."""
    with pytest.raises(ValueError, match="no recorded replay"):
        Execution(GITLAB, replay=True)


def test_unknown_incident_is_refused_with_a_list_of_the_known_ones() -> None:
    """The message shows the possible choices."""
    with pytest.raises(KeyError, match=GITLAB):
        Execution("incident-unheard-of").initial_state()


def test_another_day_moves_the_execution_but_not_its_evidence() -> None:
    """The evidence belongs to the incident, the completion times to the run."""
    recorded, moved = run(DATADOG), run(DATADOG, day=date(2026, 2, 3))
    assert moved["agent_input"].execution_id == f"exec-{DATADOG}-20260203T062100Z"
    for agent_id, output in moved["hypotheses"].items():
        assert output.timestamp.startswith("2026-02-03T06:2")
        assert output.timestamp[len("2026-02-03") :] == recorded["hypotheses"][agent_id].timestamp[len("2023-03-08") :]
        assert output.findings == recorded["hypotheses"][agent_id].findings


def test_checkpoint_round_trip_gives_plain_dicts() -> None:
    """A strict checkpointer does not restore classes, so a resumed state holds dicts."""
    saver = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))
    graph = build_graph().compile(checkpointer=saver)
    thread: Any = {"configurable": {"thread_id": "1"}}
    state = graph.invoke(Execution(GITLAB).initial_state(), thread)
    restored = graph.get_state(thread).values
    assert restored["agent_input"] == asdict(state["agent_input"])
    assert restored["consensus"] == asdict(state["consensus"])
    assert restored["hypotheses"] == {agent_id: asdict(output) for agent_id, output in state["hypotheses"].items()}
