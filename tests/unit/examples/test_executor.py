"""The example executor: recordings, evidence, graph."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from examples.executor.agents import UPSTREAM
from examples.executor.evidence import size
from examples.executor.execution import Execution, executions
from examples.executor.graph import build_graph
from examples.executor.incident import incident_ids, load
from examples.executor.state import ExecutorState, Hypothesis
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


@pytest.fixture(scope="module")
def states() -> list[dict[str, Any]]:
    """Return the final states of all recorded executions."""
    graph = build_graph().compile()
    return [graph.invoke(execution.initial_state()) for execution in executions()]


def outputs(states: list[dict[str, Any]]) -> list[Hypothesis]:
    """Return all agents' outputs."""
    return [output for state in states for output in state["hypotheses"].values()]


def test_twelve_incidents_and_one_replay_are_recorded() -> None:
    """13 executions of 7 recommendations: 91."""
    assert len(incident_ids()) == 12
    assert [execution.incident_id for execution in executions() if execution.replay] == [ROBLOX]


@pytest.mark.parametrize("incident_id", incident_ids())
def test_every_incident_has_six_agents_that_cite_named_public_sources(incident_id: str) -> None:
    """A citation without an entry among the sources would be a dangling one."""
    incident = load(incident_id)
    assert set(incident.recordings) == set(UPSTREAM)
    assert incident.began_at < incident.executed_at < incident.began_at + timedelta(hours=2)
    for recording in incident.recordings.values():
        assert set(recording.citations or ()) <= set(incident.sources)
    for source in incident.sources.values():
        assert source["title"]
        assert source["publisher"]


def test_findings_differ_in_structure_from_agent_to_agent(states: list[dict[str, Any]]) -> None:
    """The table must hold objects of any shape, so the example has six."""
    for state in states:
        answered = [output for output in state["hypotheses"].values() if output.findings]
        for one, other in combinations(answered, 2):
            assert set(one.findings) != set(other.findings)


def test_prose_is_short(states: list[dict[str, Any]]) -> None:
    """Half a kilobyte to two an agent; the rest of an envelope is evidence."""
    for output in outputs(states):
        if output.error is None:
            prose = {name: value for name, value in output.findings.items() if name != "evidence"}
            assert 500 <= size(output.reasoning) + size(prose) <= 2_048, (output.execution_id, output.agent_id)


def test_evidence_says_that_it_is_generated(states: list[dict[str, Any]]) -> None:
    """Nobody may take it for the companies' own data."""
    attached = [output.findings["evidence"] for output in outputs(states) if output.error is None]
    assert attached
    assert all(evidence["generated"] is True for evidence in attached)


def test_most_outputs_have_2_to_8_kilobytes_and_a_few_near_60(states: list[dict[str, Any]]) -> None:
    """The distribution that the throughput figures and the demo rest on."""
    sizes = [size(asdict(output)) for output in outputs(states)]
    usual = [each for each in sizes if 2_000 <= each <= 8_000]
    large = [each for each in sizes if 52_000 <= each <= 62_000]
    small = [each for each in sizes if each < 2_000]
    assert len(usual) >= 0.9 * len(sizes)
    assert 3 <= len(large) <= 6
    assert len(small) == 2, "the failed and the timed-out agent have little to say"
    assert len(usual) + len(large) + len(small) == len(sizes)


def test_same_recording_gives_the_same_bytes_in_another_process(states: list[dict[str, Any]]) -> None:
    """Neither the clock nor Python's hash seed takes part."""
    program = (
        "import hashlib, json; from dataclasses import asdict\n"
        "from examples.executor.execution import executions; from examples.executor.graph import build_graph\n"
        "graph = build_graph().compile(); digest = hashlib.sha256()\n"
        "for execution in executions():\n"
        "    state = graph.invoke(execution.initial_state())\n"
        "    for name, output in [*sorted(state['hypotheses'].items()), ('', state['consensus'])]:\n"
        "        digest.update(json.dumps(asdict(output)).encode())\n"
        "print(digest.hexdigest())"
    )
    digest = hashlib.sha256()
    for state in states:
        for _, output in [*sorted(state["hypotheses"].items()), ("", state["consensus"])]:
            digest.update(json.dumps(asdict(output)).encode())
    elsewhere = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert elsewhere.stdout.strip() == digest.hexdigest()


def test_agents_that_wait_for_nobody_run_as_parallel_branches() -> None:
    """One step of the graph runs four agents; the others follow what they wait for."""
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


def test_an_agent_starts_when_the_last_of_those_it_waits_for_is_done() -> None:
    """Completion times are in the order of the graph."""
    hypotheses = run(GITLAB)["hypotheses"]
    for agent_id, upstream in UPSTREAM.items():
        for awaited in upstream:
            assert parse_instant(hypotheses[awaited].timestamp) < parse_instant(hypotheses[agent_id].timestamp)


def test_final_state_holds_every_documented_key() -> None:
    """What the executor holds when it is done, by the architecture."""
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
    """The audit must show what was on the table, so the graph goes on without it."""
    state = run(FACEBOOK)
    failed = state["hypotheses"]["change-intelligence"]
    assert failed.status == "FAILURE"
    assert failed.error["type"] == "ToolUnavailable"
    assert failed.confidence is None
    assert state["errors"] == [{"agent_id": "change-intelligence", **failed.error}]
    assert state["retry_count"] == 2
    assert state["consensus"].quality_metrics["agents_not_counted"] == {"change-intelligence": "FAILURE"}


def test_timed_out_agent_used_up_its_time() -> None:
    """And has no findings."""
    timed_out = run(ROBLOX)["hypotheses"]["knowledge-rag"]
    assert timed_out.status == "TIMEOUT"
    assert timed_out.duration == TIMEOUT_MILLISECONDS
    assert timed_out.findings == {}


def test_odd_values_that_real_agents_send_are_among_them(states: list[dict[str, Any]]) -> None:
    """Each stands in the README's table, for the parts behind the queue to cope with."""
    everything = outputs(states)
    assert [output.confidence for output in everything if (output.confidence or 0) > 1] == [87]
    assert sum(output.citations is None and output.error is None for output in everything) == 2
    assert sum(output.status == "PARTIAL" for output in everything) == 1
    text = json.dumps([asdict(output) for output in everything], ensure_ascii=False)
    assert all(sample in text for sample in ("レプリケーション", "Störung", "Lê-Quôc", "→"))
    written = [output.timestamp for output in everything]
    assert any(stamp.endswith("+00:00") for stamp in written)
    assert any("." not in stamp for stamp in written)
    assert sum("+" not in stamp for stamp in written) > len(written) / 2, "mostly naive"


def test_replay_is_an_execution_of_its_own() -> None:
    """Own ID, own completion times, and it says which execution it repeats."""
    original, replay = run(ROBLOX), run(ROBLOX, replay=True)
    assert replay["agent_input"].execution_id != original["agent_input"].execution_id
    assert replay["agent_input"].replay_metadata["replay_of"] == original["agent_input"].execution_id
    assert replay["hypotheses"]["knowledge-rag"].status == "SUCCESS"
    for agent_id, output in replay["hypotheses"].items():
        assert output.timestamp > original["hypotheses"][agent_id].timestamp
        assert output.replay_metadata == replay["agent_input"].replay_metadata


def test_replay_of_an_incident_without_one_is_refused() -> None:
    """Rather than run again under the name of a replay."""
    with pytest.raises(ValueError, match="no recorded replay"):
        Execution(GITLAB, replay=True)


def test_unknown_incident_is_refused_with_the_known_ones() -> None:
    """The message helps to choose."""
    with pytest.raises(KeyError, match=GITLAB):
        Execution("incident-unheard-of").initial_state()


def test_another_day_moves_the_execution_and_not_its_evidence() -> None:
    """The evidence belongs to the incident, the completion times to the run."""
    recorded, moved = run(DATADOG), run(DATADOG, day=date(2026, 2, 3))
    assert moved["agent_input"].execution_id == f"exec-{DATADOG}-20260203T062100Z"
    for agent_id, output in moved["hypotheses"].items():
        assert output.timestamp.startswith("2026-02-03T06:2")
        assert output.timestamp[len("2026-02-03") :] == recorded["hypotheses"][agent_id].timestamp[len("2023-03-08") :]
        assert output.findings == recorded["hypotheses"][agent_id].findings


def test_checkpoint_round_trip_gives_plain_dicts() -> None:
    """A strict checkpointer revives no classes, so whoever reads a resumed state meets dicts."""
    saver = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))
    graph = build_graph().compile(checkpointer=saver)
    thread: Any = {"configurable": {"thread_id": "1"}}
    state = graph.invoke(Execution(GITLAB).initial_state(), thread)
    restored = graph.get_state(thread).values
    assert restored["agent_input"] == asdict(state["agent_input"])
    assert restored["consensus"] == asdict(state["consensus"])
    assert restored["hypotheses"] == {agent_id: asdict(output) for agent_id, output in state["hypotheses"].items()}
