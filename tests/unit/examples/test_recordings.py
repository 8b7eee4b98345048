"""The recorded incidents of the example executor: their outputs, sizes and generated evidence."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from examples.executor.agents import UPSTREAM
from examples.executor.evidence import size
from examples.executor.execution import executions
from examples.executor.graph import build_graph
from examples.executor.incident import incident_ids, load
from examples.executor.state import Hypothesis

ROBLOX = "incident-roblox-2021-10-28"


@pytest.fixture(scope="module")
def states() -> list[dict[str, Any]]:
    """The final states of all recorded executions."""
    graph = build_graph().compile()
    return [graph.invoke(execution.initial_state()) for execution in executions()]


def outputs(states: list[dict[str, Any]]) -> list[Hypothesis]:
    """Return all agents' outputs."""
    return [output for state in states for output in state["hypotheses"].values()]


def test_twelve_incidents_and_one_replay_are_recorded() -> None:
    """They give 13 executions of 7 recommendations each, 91 in all."""
    assert len(incident_ids()) == 12
    assert [execution.incident_id for execution in executions() if execution.replay] == [ROBLOX]


@pytest.mark.parametrize("incident_id", incident_ids())
def test_every_incident_has_six_agents_that_cite_named_public_sources(incident_id: str) -> None:
    """A citation without an entry among the sources would be dangling."""
    incident = load(incident_id)
    assert set(incident.recordings) == set(UPSTREAM)
    assert incident.began_at < incident.executed_at < incident.began_at + timedelta(hours=2)
    for recording in incident.recordings.values():
        assert set(recording.citations or ()) <= set(incident.sources)
    for source in incident.sources.values():
        assert source["title"]
        assert source["publisher"]


def test_findings_differ_in_structure_from_agent_to_agent(states: list[dict[str, Any]]) -> None:
    """The table must store objects of any shape, so the example has six shapes."""
    for state in states:
        answered = [output for output in state["hypotheses"].values() if output.findings]
        for first, second in combinations(answered, 2):
            assert set(first.findings) != set(second.findings)


def test_prose_is_short(states: list[dict[str, Any]]) -> None:
    """Each agent writes 0.5 to 2 KB; the rest of an envelope is evidence."""
    for output in outputs(states):
        if output.error is None:
            prose = {name: value for name, value in output.findings.items() if name != "evidence"}
            assert 500 <= size(output.reasoning) + size(prose) <= 2_048, (output.execution_id, output.agent_id)


def test_evidence_is_marked_as_generated(states: list[dict[str, Any]]) -> None:
    """Nobody must mistake it for the companies' data."""
    attached = [output.findings["evidence"] for output in outputs(states) if output.error is None]
    assert attached
    assert all(evidence["generated"] is True for evidence in attached)


def test_most_outputs_have_2_to_8_kilobytes_and_a_few_near_60(states: list[dict[str, Any]]) -> None:
    """The throughput figures and the demo depend on this distribution."""
    sizes = [size(asdict(output)) for output in outputs(states)]
    usual = [each for each in sizes if 2_000 <= each <= 8_000]
    large = [each for each in sizes if 52_000 <= each <= 62_000]
    small = [each for each in sizes if each < 2_000]
    assert len(usual) >= 0.9 * len(sizes)
    assert 3 <= len(large) <= 6
    assert len(small) == 2, "the failed and the timed-out agent have little to say"
    assert len(usual) + len(large) + len(small) == len(sizes)


def test_same_recording_gives_the_same_bytes_in_another_process(states: list[dict[str, Any]]) -> None:
    """Neither the clock nor Python's hash seed has any influence."""
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
    other_process = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert other_process.stdout.strip() == digest.hexdigest()


def test_recordings_include_odd_values_as_real_agents_send_them(states: list[dict[str, Any]]) -> None:
    """The README lists them; everything behind the queue must cope with them."""
    all_outputs = outputs(states)
    assert [output.confidence for output in all_outputs if (output.confidence or 0) > 1] == [87]
    assert sum(output.citations is None and output.error is None for output in all_outputs) == 2
    assert sum(output.status == "PARTIAL" for output in all_outputs) == 1
    text = json.dumps([asdict(output) for output in all_outputs], ensure_ascii=False)
    assert all(sample in text for sample in ("レプリケーション", "Störung", "Lê-Quôc", "→"))
    written = [output.timestamp for output in all_outputs]
    assert any(stamp.endswith("+00:00") for stamp in written)
    assert any("." not in stamp for stamp in written)
    assert sum("+" not in stamp for stamp in written) > len(written) / 2, "mostly naive"
