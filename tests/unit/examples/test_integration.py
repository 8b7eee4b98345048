"""The producer in the example executor: after the graph, per node, in Lambda, and from the command line."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

import pytest

from examples.executor.consensus import reach_consensus
from examples.executor.execution import Execution, executions
from examples.executor.handler import after_the_graph, lambda_handler, per_node
from examples.executor.run import ExecutionResult, main, run_all, run_one, yesterday
from recommendation_shared.envelope import Envelope

DAY = date(2026, 2, 3)
GITLAB = "incident-gitlab-2017-01-31"
FACEBOOK = "incident-facebook-2021-10-04"
ROBLOX = "incident-roblox-2021-10-28"
KIB = 1_024

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class RecordingProducer:
    """Has the producer's methods, and records the envelopes instead of sending them."""

    def __init__(self) -> None:
        """Start without envelopes."""
        self.envelopes: list[Envelope] = []
        self.drained = 0

    @property
    def ids(self) -> set[str]:
        """The IDs of the distinct recommendations."""
        return {envelope.recommendation_id for envelope in self.envelopes}

    def enqueue(self, **fields: Any) -> None:
        """Record an envelope."""
        self.envelopes.append(Envelope.create(**fields))

    def enqueue_state(self, state: Any) -> None:
        """Record an envelope for every output in the state."""
        execution = {name: getattr(state["agent_input"], name) for name in ("incident_id", "execution_id")}
        for agent_id, output in state.get("hypotheses", {}).items():
            self.enqueue(
                **execution,
                agent_type=agent_id,
                timestamp=output.timestamp,
                recommendation=output.findings,
                confidence=output.confidence,
                reasoning=output.reasoning,
                citations=output.citations,
                metadata={"status": output.status, "cost": output.cost, "error": output.error},
            )
        consensus = state.get("consensus")
        if consensus is not None:
            self.enqueue(
                **execution,
                agent_type="consensus",
                timestamp=consensus.timestamp,
                recommendation=asdict(consensus),
                confidence=consensus.aggregated_confidence,
            )

    def lambda_handler(self, handler: Handler) -> Handler:
        """Count the invocations, each of which ends with a drain."""

        def draining(event: dict[str, Any], context: Any) -> dict[str, Any]:
            try:
                return handler(event, context)
            finally:
                self.drained += 1

        return draining


def test_both_ways_give_the_same_recommendations() -> None:
    """An executor may therefore use both, or switch between them, without duplicates."""
    after, nodes = RecordingProducer(), RecordingProducer()
    run_after, run_nodes = after_the_graph(after), per_node(nodes)
    for execution in executions(DAY):
        run_after(execution)
        run_nodes(execution)
    assert len(after.envelopes) == len(after.ids) == 91
    bodies = {envelope.recommendation_id: envelope.to_json() for envelope in after.envelopes}
    assert {envelope.recommendation_id: envelope.to_json() for envelope in nodes.envelopes} == bodies


def test_per_node_persists_what_finished_before_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six outputs are persisted although the consensus fails; after the graph, none would be."""

    def crash(_hypotheses: object) -> None:
        raise ArithmeticError("consensus node crashed")

    monkeypatch.setattr("examples.executor.graph.reach_consensus", crash)
    nodes, after = RecordingProducer(), RecordingProducer()
    with pytest.raises(ArithmeticError):
        per_node(nodes)(Execution(GITLAB))
    with pytest.raises(ArithmeticError):
        after_the_graph(after)(Execution(GITLAB))
    assert len(nodes.ids) == 6
    assert after.ids == set()


def test_every_recorded_output_is_a_valid_envelope_of_realistic_size() -> None:
    """Most have 2 to 8 KB, a few about 60 KB, and none comes close to a limit."""
    producer = RecordingProducer()
    run_all(producer, day=DAY)
    sizes = [len(envelope.to_json()) for envelope in producer.envelopes]
    assert sum(2 * KIB <= each <= 8 * KIB for each in sizes) > len(sizes) / 2
    assert 3 <= sum(each > 50 * KIB for each in sizes) <= 6
    assert max(sizes) < 64 * KIB


def test_odd_confidence_and_missing_citations_are_normalised_in_the_envelope() -> None:
    """A confidence of 87 becomes null and is preserved as text; null citations become an empty list."""
    producer = RecordingProducer()
    run_one(producer, GITLAB, day=DAY)
    run_one(producer, FACEBOOK, day=DAY)
    by_agent = {(envelope.incident_id, envelope.agent_type): envelope for envelope in producer.envelopes}
    odd = by_agent[GITLAB, "historical-pattern"]
    failed = by_agent[FACEBOOK, "change-intelligence"]
    assert odd.confidence is None
    assert odd.metadata["rawConfidence"] == "87"
    assert failed.citations == []
    assert failed.metadata["status"] == "FAILURE"


@pytest.mark.parametrize("way", ["after", "per-node"])
def test_lambda_handler_runs_the_incident_of_the_event_and_drains(way: str) -> None:
    """The event's time decides the day of the run, so a redelivered event sends the same recommendations."""
    producer = RecordingProducer()
    handler = lambda_handler(producer, way)
    event = {"time": "2026-02-03T10:00:00Z", "detail": {"incidentId": ROBLOX, "replay": True}}
    answer = handler(event, None)
    assert answer == {
        "executionId": f"exec-{ROBLOX}-20260203T224000Z",
        "recommendations": 7,
        "agreement": "MODERATE",
    }
    assert producer.drained == 1
    handler(event, None)
    assert len(producer.ids) == 7


def test_run_all_reports_each_execution_when_it_finishes() -> None:
    """The demo's progress display and its counts depend on it."""
    seen: list[ExecutionResult] = []
    results = run_all(RecordingProducer(), on_execution=seen.append, day=DAY)
    assert seen == results
    assert len({result.execution_id for result in results}) == 13
    assert sum(result.expected_recommendations for result in results) == 91


def test_running_one_execution_again_adds_no_recommendation() -> None:
    """On the same day, it sends the same IDs, which are stored once."""
    producer = RecordingProducer()
    run_all(producer, day=DAY)
    known = producer.ids
    result = run_one(producer, ROBLOX, replay=True, day=DAY, way="per-node")
    assert result == ExecutionResult(ROBLOX, f"exec-{ROBLOX}-20260203T224000Z", 7)
    assert producer.ids == known


def test_runs_are_moved_to_yesterday_by_default() -> None:
    """Recommendations from the years of the incidents would have expired on arrival."""
    producer = RecordingProducer()
    before = yesterday()
    run_one(producer, GITLAB)
    after = yesterday()
    assert {envelope.timestamp[: len("2026-02-03")] for envelope in producer.envelopes} <= {str(before), str(after)}
    assert before < datetime.now(UTC).date()


def test_dry_run_prints_agents_and_sizes_and_needs_no_queue(capsys: pytest.CaptureFixture[str]) -> None:
    """It includes the statuses of agents that failed."""
    assert main(["--dry-run", "--incident", ROBLOX, "--day", "2026-02-03"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"exec-{ROBLOX}-20260203T205200Z"
    assert len(lines) == 2 * (1 + 7)
    assert lines[3].split() == ["knowledge-rag", "TIMEOUT", "-", "590", "B"]


def test_list_names_every_incident(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the IDs that --incident accepts."""
    assert main(["--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == list(dict.fromkeys(execution.incident_id for execution in executions()))


def test_missing_queue_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the environment variable, which `_no_real_account` has unset."""
    assert main(["--incident", GITLAB]) == 2
    assert "RECOMMENDATIONS_QUEUE_URL" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--incident", "incident-unheard-of"], ["--day", "3.2.2026"]])
def test_invalid_argument_is_refused_with_valid_examples(
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The message lists the known incidents, or shows the format of a date."""
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    message = capsys.readouterr().err
    assert GITLAB in message or "2026-01-31" in message


def test_recordings_include_disagreements() -> None:
    """Twelve incidents without a single conflict would be unrealistic."""
    producer = RecordingProducer()
    states = [after_the_graph(producer)(execution) for execution in executions(DAY)]
    conflicts = {state["agent_input"].incident_id for state in states if state["consensus"].conflicts_detected}
    assert len(conflicts) >= 5
    assert all(state["consensus"] == reach_consensus(state["hypotheses"]) for state in states)
