"""Metrics of an invocation as EMF lines on stdout: CloudWatch reads them from the log, so no API call is needed.

A full batch has hundreds of combinations of agent and incident, each a line. Powertools takes 20 µs or more for one,
a fifth of what storing a recommendation costs; here lines with the same metrics and dimensions share their beginning.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from recommendation_consumer.batch_result import BatchResult
from recommendation_shared import emf, metrics


def emit(result: BatchResult, now: float, *, incident_metrics: bool) -> None:
    """Print one EMF line for each combination of dimension values, then those of the invocation as a whole.

    Each line also counts in the total without dimensions. `now` is in epoch seconds. `incident_metrics` adds the
    IncidentId dimension, whose every new value is a billed metric.
    """
    print("\n".join(_lines(result, round(now * 1000), incident_metrics=incident_metrics)))  # noqa: T201 - EMF is read from stdout


def _lines(result: BatchResult, timestamp_ms: int, *, incident_metrics: bool) -> Iterator[str]:
    stored = Counter(
        (one.agent_type, one.incident_id if incident_metrics and emf.is_dimension_value(one.incident_id) else "")
        for one in result.stored
    )
    by_agent = _beginning(timestamp_ms, [metrics.PERSISTED], metrics.AGENT_TYPE)
    by_incident = _beginning(timestamp_ms, [metrics.PERSISTED], metrics.AGENT_TYPE, metrics.INCIDENT_ID)
    for (agent_type, incident_id), count in stored.items():
        values: dict[str, Any] = {metrics.AGENT_TYPE: agent_type, metrics.PERSISTED: [count]}
        if incident_id:
            yield _line(by_incident, {metrics.INCIDENT_ID: incident_id, **values})
        else:
            yield _line(by_agent, values)
    failures = Counter(result.failures.values()) + result.dead_lettered
    beginning = _beginning(timestamp_ms, [metrics.PERSISTENCE_FAILURE], metrics.ERROR_TYPE)
    for error_type, count in failures.items():
        yield _line(beginning, {metrics.ERROR_TYPE: error_type, metrics.PERSISTENCE_FAILURE: [count]})
    beginning = _beginning(timestamp_ms, [metrics.DEAD_LETTERED], metrics.REASON)
    for reason, count in result.dead_lettered.items():
        yield _line(beginning, {metrics.REASON: reason, metrics.DEAD_LETTERED: [count]})
    counts = {
        metrics.PERSISTENCE_THROTTLED: result.throttled,
        metrics.DUPLICATE: result.duplicates,
        metrics.EXPIRED: result.expired,
    }
    totals = {
        **{name: [count] for name, count in counts.items() if count},
        metrics.PERSISTENCE_DURATION: [round(result.write_ms, 3)],
    }
    yield _line(_beginning(timestamp_ms, totals), totals)
    beginning = _beginning(timestamp_ms, [metrics.QUEUE_LAG])
    for start in range(0, len(result.stored), emf.VALUES_PER_METRIC):
        lags = [round(one.lag_ms) for one in result.stored[start : start + emf.VALUES_PER_METRIC]]
        yield _line(beginning, {metrics.QUEUE_LAG: lags})


def _beginning(timestamp_ms: int, names: Iterable[str], *dimensions: str) -> bytes:
    """Return the start of lines with these metrics: they count in total, by the first dimension, by both and so on."""
    dimension_sets = [dimensions[:count] for count in range(len(dimensions) + 1)]
    return orjson.dumps({"_aws": emf.directive(timestamp_ms, names, dimension_sets)})[:-1]


def _line(beginning: bytes, values: Mapping[str, Any]) -> str:
    return (beginning + b"," + orjson.dumps(values)[1:]).decode()
