"""The metrics' lines as CloudWatch reads them."""

import json
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from recommendation_consumer.batch_result import BatchResult, Stored
from recommendation_consumer.metrics import emit
from tests.support.emf import EVENT_BYTES, read_emf

Sums = dict[tuple[str, frozenset[tuple[str, str]]], list[float]]
Emit = Callable[..., Sums]


def _values(lines: Sequence[str]) -> Sums:
    """Read EMF as CloudWatch does: each value counts once for each dimension set of its line."""
    sums: Sums = {}
    for line in lines:
        for name, dimensions, values, _ in read_emf(line):
            sums.setdefault((name, dimensions), []).extend(values)
    return sums


@pytest.fixture
def emitted(capsys: pytest.CaptureFixture[str]) -> Emit:
    """Emit an result's metrics; return their values by name and dimensions."""

    def run(result: BatchResult, *, incident_metrics: bool = True) -> Sums:
        emit(result, 1_769_860_801.5, incident_metrics=incident_metrics)
        return _values(capsys.readouterr().out.splitlines())

    return run


def _of(values: Sums, name: str, **dimensions: str) -> list[float]:
    return values.get((name, frozenset(dimensions.items())), [])


def _stored(agent_type: str = "consensus", incident_id: str = "incident-1", lag_ms: float = 5.0) -> Stored:
    return Stored(incident_id, agent_type, lag_ms)


def test_persisted_counts_by_agent_by_incident_and_in_all(emitted: Emit) -> None:
    """Each sum by itself is right: CloudWatch adds nothing up across dimensions."""
    values = emitted(BatchResult(stored=[_stored("a"), _stored("a"), _stored("a", "incident-2"), _stored("b")]))
    name = "RecommendationsPersisted"
    assert sum(_of(values, name)) == 4
    assert sum(_of(values, name, AgentType="a")) == 3
    assert _of(values, name, AgentType="a", IncidentId="incident-1") == [2]
    assert _of(values, name, AgentType="a", IncidentId="incident-2") == [1]
    assert _of(values, name, AgentType="b", IncidentId="incident-1") == [1]


def test_the_incident_dimension_can_be_switched_off(emitted: Emit) -> None:
    """Each of its values is a billed metric."""
    values = emitted(
        BatchResult(stored=[_stored("a", "incident-1"), _stored("a", "incident-2")]), incident_metrics=False
    )
    assert not [dimensions for _, dimensions in values if "IncidentId" in dict(dimensions)]
    assert _of(values, "RecommendationsPersisted", AgentType="a") == [2]


@pytest.mark.parametrize("incident_id", ["störung-1", " ", "a\tb", "x" * 1_025])
def test_an_incident_that_cloudwatch_cannot_name_still_counts(emitted: Emit, incident_id: str) -> None:
    """A dimension's value is ASCII, not blank and of at most 1,024 characters; else the whole line is dropped."""
    values = emitted(BatchResult(stored=[_stored("a", incident_id)]))
    assert not [dimensions for _, dimensions in values if "IncidentId" in dict(dimensions)]
    assert _of(values, "RecommendationsPersisted") == _of(values, "RecommendationsPersisted", AgentType="a") == [1]


def test_queue_lag_has_a_value_for_each_stored_recommendation(emitted: Emit) -> None:
    """So that percentiles are true; a line of EMF takes 100 of them."""
    values = emitted(BatchResult(stored=[_stored(lag_ms=float(number)) for number in range(250)]))
    assert _of(values, "RecommendationQueueLag") == list(range(250))


def test_failures_count_by_error_type_and_in_all(emitted: Emit) -> None:
    """Dead letters too: what is not stored is what the failure rate's alarm is about."""
    result = BatchResult(
        failures={"m0": "Throttled", "m1": "Throttled", "m2": "NoBody"}, dead_lettered=Counter({"InvalidJson": 2})
    )
    values = emitted(result)
    name = "RecommendationPersistenceFailure"
    assert sum(_of(values, name)) == 5
    assert _of(values, name, ErrorType="Throttled") == [2]
    assert _of(values, name, ErrorType="NoBody") == [1]
    assert _of(values, name, ErrorType="InvalidJson") == [2]
    assert sum(_of(values, "RecommendationDeadLettered")) == 2
    assert _of(values, "RecommendationDeadLettered", Reason="InvalidJson") == [2]


def test_the_invocation_as_a_whole(emitted: Emit) -> None:
    """Counts that have no dimension."""
    values = emitted(BatchResult(duplicates=3, expired=2, throttled=12, write_ms=45.6789))
    assert {name: found for (name, dimensions), found in values.items() if not dimensions} == {
        "RecommendationDuplicate": [3],
        "RecommendationExpired": [2],
        "RecommendationPersistenceThrottled": [12],
        "RecommendationPersistenceDuration": [45.679],
    }


def test_what_did_not_happen_is_not_emitted(emitted: Emit) -> None:
    """Only how long the invocation took."""
    assert set(emitted(BatchResult())) == {("RecommendationPersistenceDuration", frozenset())}


def test_the_service_name_is_no_dimension(emitted: Emit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Powertools adds it to each metric otherwise, and no alarm would find its metric."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "recommendation-consumer")
    values = emitted(BatchResult(stored=[_stored()], failures={"m0": "Throttled"}))
    assert {name for _, dimensions in values for name in dict(dimensions)} == {"AgentType", "IncidentId", "ErrorType"}


def test_units_are_those_of_the_dashboard(capsys: pytest.CaptureFixture[str]) -> None:
    """Durations are milliseconds; anything else is a count."""
    emit(BatchResult(stored=[_stored()], duplicates=1), 0.0, incident_metrics=False)
    units = {found.name: found.unit for line in capsys.readouterr().out.splitlines() for found in read_emf(line)}
    assert units == {
        "RecommendationsPersisted": "Count",
        "RecommendationDuplicate": "Count",
        "RecommendationPersistenceDuration": "Milliseconds",
        "RecommendationQueueLag": "Milliseconds",
    }


def test_860_recommendations_of_860_incidents_keep_the_limits_of_the_format(emitted: Emit) -> None:
    """A full invocation: no value is lost to a limit of a line, and each sum is right."""
    stored = [_stored(f"agent-{number % 7}", f"incident-{number}", lag_ms=float(number)) for number in range(860)]
    values = emitted(BatchResult(stored=stored, failures={f"m{number}": "Throttled" for number in range(150)}))
    name = "RecommendationsPersisted"
    assert sum(_of(values, name)) == 860
    assert [sum(_of(values, name, AgentType=f"agent-{number}")) for number in range(7)] == [123] * 6 + [122]
    assert [
        _of(values, name, AgentType=f"agent-{number % 7}", IncidentId=f"incident-{number}") for number in range(860)
    ] == [[1]] * 860
    assert _of(values, "RecommendationQueueLag") == list(range(860))
    assert _of(values, "RecommendationPersistenceFailure") == [150]


def test_lines_of_the_longest_ids_are_far_below_the_size_of_a_log_event(capsys: pytest.CaptureFixture[str]) -> None:
    """CloudWatch would cut them, and then find no metric in them."""
    emit(BatchResult(stored=[_stored("a" * 128, "i" * 1_024, 1e15)] * 300), 0.0, incident_metrics=True)
    assert max(map(len, capsys.readouterr().out.splitlines())) < EVENT_BYTES / 50


def test_time_is_that_of_the_invocation(capsys: pytest.CaptureFixture[str]) -> None:
    """In epoch milliseconds; CloudWatch drops what is two weeks old."""
    emit(BatchResult(), 1_769_860_801.2345, incident_metrics=True)
    assert json.loads(capsys.readouterr().out)["_aws"]["Timestamp"] == 1_769_860_801_234
