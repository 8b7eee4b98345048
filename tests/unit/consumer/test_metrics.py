"""The metrics, read from their lines as CloudWatch reads them."""

import json
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from recommendation_consumer.batch_result import BatchResult, Stored
from recommendation_consumer.metrics import emit
from recommendation_shared.settings import IncidentMetrics
from tests.support.emf import EVENT_BYTES, read_emf

Values = dict[tuple[str, frozenset[tuple[str, str]]], list[float]]
Emit = Callable[..., Values]


def _read(lines: Sequence[str]) -> Values:
    """Read EMF as CloudWatch does: each value counts once per dimension set of its line."""
    read: Values = {}
    for line in lines:
        if '"_aws"' not in line:
            continue  # logged only
        for name, dimensions, values, _ in read_emf(line):
            read.setdefault((name, dimensions), []).extend(values)
    return read


@pytest.fixture
def emitted(capsys: pytest.CaptureFixture[str]) -> Emit:
    """Return a function that emits a result's metrics and returns their values by name and dimensions."""

    def run(result: BatchResult, *, incident_metrics: IncidentMetrics = "dimension") -> Values:
        emit(result, 1_769_860_801.5, namespace="OPX/Recommendations", incident_metrics=incident_metrics)
        return _read(capsys.readouterr().out.splitlines())

    return run


def _of(values: Values, name: str, **dimensions: str) -> list[float]:
    return values.get((name, frozenset(dimensions.items())), [])


def _stored(agent_type: str = "consensus", incident_id: str = "incident-1", lag_ms: float = 5.0) -> Stored:
    return Stored(incident_id, agent_type, lag_ms)


def test_persisted_counts_by_agent_and_incident_and_in_total(emitted: Emit) -> None:
    """Each must be right on its own, because CloudWatch does not aggregate across dimensions."""
    values = emitted(BatchResult(stored=[_stored("a"), _stored("a"), _stored("a", "incident-2"), _stored("b")]))
    name = "RecommendationsPersisted"
    assert sum(_of(values, name)) == 4
    assert _of(values, name, AgentType="a", IncidentId="incident-1") == [2]
    assert _of(values, name, AgentType="a", IncidentId="incident-2") == [1]
    assert _of(values, name, AgentType="b", IncidentId="incident-1") == [1]
    assert not _of(values, name, AgentType="a")  # another dimension set is another metric on the bill


def test_incident_dimension_can_be_switched_off(emitted: Emit) -> None:
    """Each of its values is billed as a metric."""
    values = emitted(
        BatchResult(stored=[_stored("a", "incident-1"), _stored("a", "incident-2")]), incident_metrics="none"
    )
    assert not [dimensions for _, dimensions in values if "IncidentId" in dict(dimensions)]
    assert _of(values, "RecommendationsPersisted", AgentType="a") == [2]


def test_incident_can_be_a_property_that_only_the_log_has(capsys: pytest.CaptureFixture[str]) -> None:
    """Logs Insights finds it and its agents, and no metric is billed for either; a property may have any characters."""
    result = BatchResult(stored=[_stored("a", "störung-1"), _stored("a", "incident-2")])
    emit(result, 1.0, namespace="OPX/Recommendations", incident_metrics="property")
    lines = capsys.readouterr().out.splitlines()
    assert not [dimensions for _, dimensions in _read(lines) if dimensions]
    assert _of(_read(lines), "RecommendationsPersisted") == [1, 1]
    persisted = [json.loads(line) for line in lines if "RecommendationsPersisted" in line]
    assert [(line["IncidentId"], line["AgentType"]) for line in persisted] == [("störung-1", "a"), ("incident-2", "a")]


@pytest.mark.parametrize("incident_id", ["störung-1", " ", "a\tb", "x" * 1_025])
def test_incident_that_is_not_a_valid_dimension_still_counts(emitted: Emit, incident_id: str) -> None:
    """CloudWatch drops a whole line if a value is not ASCII, blank or longer than 1,024 characters."""
    values = emitted(BatchResult(stored=[_stored("a", incident_id)]))
    assert not [dimensions for _, dimensions in values if "IncidentId" in dict(dimensions)]
    assert _of(values, "RecommendationsPersisted") == _of(values, "RecommendationsPersisted", AgentType="a") == [1]


def test_queue_lag_is_logged_for_each_stored_recommendation_and_is_not_a_metric(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing alarms on it, and it would be billed in every hour with an incident."""
    stored = [_stored(lag_ms=float(number)) for number in range(250)]
    emit(BatchResult(stored=stored), 0.0, namespace="OPX/Recommendations", incident_metrics="none")
    lines = capsys.readouterr().out.splitlines()
    assert "RecommendationQueueLag" not in {name for name, _ in _read(lines)}
    logged = [json.loads(line)["RecommendationQueueLag"] for line in lines if "RecommendationQueueLag" in line]
    assert [lag for lags in logged for lag in lags] == list(range(250))


def test_failures_count_by_error_type_and_in_total(emitted: Emit) -> None:
    """They exclude dead letters, which are not retried and have their own metric and alarm."""
    result = BatchResult(
        failures={"m0": "Throttled", "m1": "Throttled", "m2": "NoBody"}, dead_lettered=Counter({"InvalidJson": 2})
    )
    values = emitted(result)
    name = "RecommendationPersistenceFailure"
    assert sum(_of(values, name)) == 3
    assert _of(values, name, ErrorType="Throttled") == [2]
    assert _of(values, name, ErrorType="NoBody") == [1]
    assert not _of(values, name, ErrorType="InvalidJson")
    assert sum(_of(values, "RecommendationDeadLettered")) == 2
    assert _of(values, "RecommendationDeadLettered", Reason="InvalidJson") == [2]


def test_counts_of_the_invocation_have_no_dimension(emitted: Emit) -> None:
    """Duplicates, expired messages, throttled writes and the duration."""
    values = emitted(BatchResult(duplicates=3, expired=2, throttled=12, write_ms=45.6789))
    assert {name: numbers for (name, dimensions), numbers in values.items() if not dimensions} == {
        "RecommendationDuplicate": [3],
        "RecommendationExpired": [2],
        "RecommendationsDropped": [2],
        "RecommendationPersistenceThrottled": [12],
        "RecommendationPersistenceDuration": [45.679],
    }


def test_what_expired_is_a_drop_with_a_reason_of_its_own(emitted: Emit) -> None:
    """One alarm watches everything that is lost, whoever lost it; the producer's reasons tell the rest."""
    values = emitted(BatchResult(expired=2))
    assert _of(values, "RecommendationsDropped", Reason="expired") == [2]


def test_zero_counts_are_not_emitted(emitted: Emit) -> None:
    """An invocation without messages emits only its duration."""
    assert set(emitted(BatchResult())) == {("RecommendationPersistenceDuration", frozenset())}


def test_service_name_is_not_a_dimension(emitted: Emit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Powertools would add it to each metric, and then no alarm would match."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "recommendation-consumer")
    values = emitted(BatchResult(stored=[_stored()], failures={"m0": "Throttled"}))
    assert {name for _, dimensions in values for name in dict(dimensions)} == {"AgentType", "IncidentId", "ErrorType"}


def test_units_are_those_of_the_dashboard(capsys: pytest.CaptureFixture[str]) -> None:
    """Durations are in milliseconds; everything else is a count."""
    emit(BatchResult(stored=[_stored()], duplicates=1), 0.0, namespace="OPX/Recommendations", incident_metrics="none")
    lines = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    units = {value.name: value.unit for line in lines for value in read_emf(line)}
    assert units == {
        "RecommendationsPersisted": "Count",
        "RecommendationDuplicate": "Count",
        "RecommendationPersistenceDuration": "Milliseconds",
    }


def test_full_batch_of_860_incidents_stays_within_the_limits_of_emf(emitted: Emit) -> None:
    """No value is lost to a limit per line, and each sum is right."""
    stored = [_stored(f"agent-{number % 7}", f"incident-{number}", lag_ms=float(number)) for number in range(860)]
    values = emitted(BatchResult(stored=stored, failures={f"m{number}": "Throttled" for number in range(150)}))
    name = "RecommendationsPersisted"
    assert sum(_of(values, name)) == 860
    assert [
        _of(values, name, AgentType=f"agent-{number % 7}", IncidentId=f"incident-{number}") for number in range(860)
    ] == [[1]] * 860
    assert _of(values, "RecommendationPersistenceFailure") == [150]


def test_lines_with_the_longest_ids_are_far_smaller_than_a_log_event(capsys: pytest.CaptureFixture[str]) -> None:
    """CloudWatch truncates a longer line, and then finds no metric in it."""
    emit(
        BatchResult(stored=[_stored("a" * 128, "i" * 1_024, 1e15)] * 300),
        0.0,
        namespace="OPX/Recommendations",
        incident_metrics="dimension",
    )
    assert max(map(len, capsys.readouterr().out.splitlines())) < EVENT_BYTES / 50


def test_timestamp_is_the_time_of_the_invocation(capsys: pytest.CaptureFixture[str]) -> None:
    """In epoch milliseconds. CloudWatch drops metrics that are two weeks old."""
    emit(BatchResult(), 1_769_860_801.2345, namespace="OPX/Recommendations", incident_metrics="dimension")
    assert json.loads(capsys.readouterr().out)["_aws"]["Timestamp"] == 1_769_860_801_234
