"""When an output without a timestamp of its own completed: always the same answer, and another for each execution."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from recommendation_shared.envelope.identity import parse_instant
from tests.support.fakes.queue import NOTHING_HANGS, FakeQueue, running_producer

START = "2026-01-31T12:00:00"
AGENT = {"agent_id": "risk-blast-radius", "status": "TIMEOUT", "findings": {}}
CONSENSUS = {"aggregated_confidence": 0.5, "agreement_level": "STRONG"}


def state_of(*outputs: dict[str, Any], execution: str = "execution-1", **parts: Any) -> dict[str, Any]:
    """Return a state with these outputs."""
    given = {"incident_id": "incident-1", "execution_id": execution, "timestamp": START}
    return {"agent_input": given, "hypotheses": {output["agent_id"]: output for output in outputs}, **parts}


def enqueued(*states: object) -> list[dict[str, Any]]:
    """Return the fields of what arrived when a new process enqueued these states."""
    queue = FakeQueue()
    with running_producer(queue) as producer:
        for state in states:
            assert all(outcome.accepted for outcome in producer.enqueue_state(state))
        producer.flush(NOTHING_HANGS)
    return [json.loads(body) for body in queue.arrived]


def test_replays_of_one_input_never_share_an_id() -> None:
    """They differ in the execution only: its agent was cut off each time, at a time that nobody noted."""
    states = [state_of(AGENT, execution=f"execution-{number}") for number in range(200)]
    assert len({fields["recommendationId"] for fields in enqueued(*states)}) == 200


def test_the_same_execution_has_the_same_ids_in_every_process() -> None:
    """A state may be sent again from a checkpoint, days later."""
    state = state_of(AGENT, consensus=CONSENSUS)
    assert enqueued(state) == enqueued(state)


_PROGRAM = """
import json, sys
from recommendation_producer import RecommendationProducer

class Queue:
    def send_message_batch(self, **request):
        print(*(entry["MessageBody"] for entry in request["Entries"]))
        return {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]}

producer = RecommendationProducer("https://sqs.us-east-1.amazonaws.com/123456789012/queue", client_factory=Queue)
state = json.loads(sys.argv[1])
state["hypotheses"]["risk-blast-radius"]["findings"] = {"causes": {"deploy", "network", "disk"}}
producer.enqueue_state(state)
producer.close()
"""


def test_ids_and_bodies_do_not_depend_on_the_hash_seed() -> None:
    """Each sandbox has its own."""
    state = json.dumps(state_of(AGENT, consensus=CONSENSUS))
    bodies = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, state],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(bodies) == 1
    assert bodies != {b""}


def test_derived_instant_is_within_a_minute_of_the_start_and_says_so() -> None:
    """A reader of the timeline must know that it is not exact."""
    (fields,) = enqueued(state_of(AGENT))
    after = parse_instant(fields["timestamp"]) - parse_instant(START)
    assert timedelta() < after < timedelta(minutes=1)
    assert fields["metadata"]["timestampSource"] == "derived"


def test_agents_of_one_execution_have_different_instants() -> None:
    """The sort keys of an execution's items then have one order."""
    agents = [{**AGENT, "agent_id": f"agent-{number}"} for number in range(6)]
    assert len({fields["timestamp"] for fields in enqueued(state_of(*agents))}) == 6


@pytest.mark.parametrize(
    "node", ["risk-blast-radius", "risk_blast_radius", "riskBlastRadius", "risk_blast_radius_node"]
)
def test_execution_trace_says_when_an_agent_completed(node: str) -> None:
    """It has an entry for every node; of several, as after retries, the last one counts."""
    trace = [
        {"node_id": "other", "timestamp": "2026-01-31T12:00:01"},
        {"node_id": node, "timestamp": "2026-01-31T12:00:02"},
        {"node_id": node, "timestamp": "2026-01-31T12:00:03.5"},
        {"node_id": node, "timestamp": "unknown"},
        {"node_id": "another", "timestamp": "2026-01-31T12:00:04"},
    ]
    (fields,) = enqueued(state_of(AGENT, execution_trace=trace))
    assert fields["recommendationId"] == "rec-incident-1-risk-blast-radius-2026-01-31T12:00:03.5Z"
    assert fields["metadata"]["timestampSource"] == "execution_trace"


@pytest.mark.parametrize("trace", [None, [], 42, "text", [None], [42], [{}], {"node_id": "risk-blast-radius"}])
def test_trace_that_says_nothing_is_ignored(trace: Any) -> None:
    """The instant is then derived, as without a trace."""
    assert enqueued(state_of(AGENT, execution_trace=trace)) == enqueued(state_of(AGENT))


def test_own_timestamp_comes_before_the_trace() -> None:
    """The metadata then has no source."""
    trace = [{"node_id": "risk-blast-radius", "timestamp": "2026-01-31T12:00:03"}]
    (fields,) = enqueued(state_of({**AGENT, "timestamp": "2026-01-31T12:00:02"}, execution_trace=trace))
    assert fields["timestamp"] == "2026-01-31T12:00:02.000000Z"
    assert "timestampSource" not in fields["metadata"]


def test_consensus_without_a_timestamp_comes_after_its_agents() -> None:
    """It would otherwise open the timeline that it closes."""
    agents = [{**AGENT, "agent_id": f"agent-{second}", "timestamp": f"2026-01-31T12:03:0{second}"} for second in (5, 9)]
    *_, consensus = enqueued(state_of(*agents, consensus=CONSENSUS))
    assert consensus["timestamp"] > "2026-01-31T12:03:09"


@pytest.mark.parametrize("number", range(20))
def test_consensus_without_a_timestamp_comes_after_agents_without_one(number: int) -> None:
    """Both instants are derived, so chance would otherwise decide, by the execution's ID."""
    agents = [{**AGENT, "agent_id": f"agent-{letter}"} for letter in "abc"]
    *others, consensus = enqueued(state_of(*agents, consensus=CONSENSUS, execution=f"execution-{number}"))
    assert len(others) == 3
    assert consensus["timestamp"] > max(fields["timestamp"] for fields in others)


def test_consensus_comes_after_an_agent_that_only_the_trace_dates() -> None:
    """The trace is more exact than what is derived for the consensus."""
    trace = [{"node_id": "risk-blast-radius", "timestamp": "2026-01-31T12:09:00"}]
    agent, consensus = enqueued(state_of(AGENT, consensus=CONSENSUS, execution_trace=trace))
    assert agent["timestamp"] == "2026-01-31T12:09:00.000000Z"
    assert consensus["timestamp"] > agent["timestamp"]


def test_consensus_that_came_after_its_agents_has_kept_its_id() -> None:
    """It is stored under the ID that earlier versions derived, and must not be stored again under another one."""
    agents = [{**AGENT, "agent_id": "cut-off"}, {**AGENT, "agent_id": "in-time", "timestamp": "2026-01-31T12:03:05"}]
    *_, consensus = enqueued(state_of(*agents, consensus=CONSENSUS))
    assert consensus["recommendationId"] == "rec-incident-1-consensus-2026-01-31T12:03:59.778584Z"


def test_start_of_the_execution_serves_where_the_input_has_no_timestamp() -> None:
    """Without any instant, the output is refused and counted."""
    given = {"incident_id": "incident-1", "execution_id": "execution-1"}
    state = {"agent_input": given, "hypotheses": [AGENT]}
    (fields,) = enqueued({**state, "start_timestamp": START})
    assert fields["timestamp"].startswith("2026-01-31T12:00:")
    with running_producer(FakeQueue()) as producer:
        (outcome,) = producer.enqueue_state(state)
    assert outcome.reason == "invalid"


ORIGINAL = {**CONSENSUS, "timestamp": "2026-01-31T12:00:07", "minority_opinions": None}


def test_copy_of_the_consensus_without_its_timestamp_is_the_same_recommendation() -> None:
    """A terminal node puts such a copy in place of the original; the consumer sees a duplicate, not a conflict."""
    copy = {name: value for name, value in reversed(ORIGINAL.items()) if name != "timestamp"}
    first, second = enqueued(state_of(consensus=ORIGINAL), state_of(consensus=copy))
    assert (second["recommendationId"], second["metadata"]) == (first["recommendationId"], first["metadata"])
    assert second["recommendation"] == first["recommendation"]


def test_copy_of_a_part_of_the_consensus_is_not_sent_again() -> None:
    """Under the same ID it would be a conflict, and under another one a second consensus."""
    assert len(enqueued(state_of(consensus=ORIGINAL), state_of(consensus=CONSENSUS))) == 1


def test_output_keeps_the_instant_under_which_it_was_sent_first() -> None:
    """The trace may name it only later."""
    trace = [{"node_id": "risk-blast-radius", "timestamp": "2026-01-31T12:00:03"}]
    first, second = enqueued(state_of(AGENT), state_of(AGENT, execution_trace=trace))
    assert first == second


@pytest.mark.parametrize(
    "change",
    [{"agreement_level": "WEAK"}, {"more": 1}, {"timestamp": "2026-01-31T12:00:08"}],
    ids=lambda change: [*change],
)
def test_consensus_that_says_something_else_is_another_recommendation(change: dict[str, Any]) -> None:
    """Only a copy is recognised, and only one without a timestamp of its own."""
    other = {**CONSENSUS, **change}
    assert (
        len(
            {fields["recommendationId"] for fields in enqueued(state_of(consensus=ORIGINAL), state_of(consensus=other))}
        )
        == 2
    )


def test_copies_are_told_apart_by_execution() -> None:
    """Two executions may well reach the same consensus."""
    states = [state_of(consensus=ORIGINAL), state_of(consensus=CONSENSUS, execution="execution-2")]
    assert len({fields["recommendationId"] for fields in enqueued(*states)}) == 2


def test_memory_of_what_was_handed_over_is_bounded() -> None:
    """A sandbox may live for hours."""
    with running_producer(FakeQueue()) as producer:
        for number in range(600):
            producer.enqueue_state(state_of(AGENT, execution=f"execution-{number}"))
        assert len(producer._handed_over._latest) == 512
