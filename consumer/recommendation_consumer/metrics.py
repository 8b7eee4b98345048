"""Emit an invocation's metrics as EMF lines on stdout. CloudWatch reads them from the log, without an API call.

A full batch has a line for each of hundreds of combinations of agent and incident. Powertools takes at least 20 µs per
line, a fifth of the time that storing a recommendation takes. Here, lines with the same metrics and dimensions share
their serialised beginning.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import orjson

from recommendation_consumer.batch_result import BatchResult
from recommendation_shared import emf, metrics
from recommendation_shared.settings import IncidentMetrics

DROP_EXPIRED: Final = "expired"  # a reason of drops beside the producer's, so that one alarm watches all that is lost


def emit(result: BatchResult, now: float, *, namespace: str, incident_metrics: IncidentMetrics) -> None:
    """Print an EMF line for each combination of dimension values, then lines for the invocation as a whole.

    Counts with dimensions also count towards the total without any. `namespace` is the stage's, `now` in epoch seconds.
    Dead letters are not failures too: an alarm of their own watches the queue.
    """
    lines = _lines(result, partial(_beginning, namespace, round(now * 1000)), incident_metrics=incident_metrics)
    print("\n".join(lines))  # noqa: T201 - EMF is read from stdout


def _lines(
    result: BatchResult, beginning_of: Callable[..., bytes], *, incident_metrics: IncidentMetrics
) -> Iterator[str]:
    named = incident_metrics != "none"
    stored = Counter((item.agent_type, item.incident_id if named else "") for item in result.stored)
    in_total = beginning_of([metrics.PERSISTED])
    by_agent = beginning_of([metrics.PERSISTED], metrics.AGENT_TYPE)
    by_incident = beginning_of([metrics.PERSISTED], metrics.AGENT_TYPE, metrics.INCIDENT_ID)
    for (agent_type, incident_id), count in stored.items():
        values: dict[str, Any] = {metrics.AGENT_TYPE: agent_type, metrics.PERSISTED: [count]}
        if incident_id:
            values[metrics.INCIDENT_ID] = incident_id
        if incident_metrics == "property":
            yield _line(in_total, values)
        else:
            yield _line(by_incident if emf.is_dimension_value(incident_id) else by_agent, values)
    failures = Counter(result.failures.values())
    beginning = beginning_of([metrics.PERSISTENCE_FAILURE], metrics.ERROR_TYPE)
    for error_type, count in failures.items():
        yield _line(beginning, {metrics.ERROR_TYPE: error_type, metrics.PERSISTENCE_FAILURE: [count]})
    beginning = beginning_of([metrics.DEAD_LETTERED], metrics.REASON)
    for reason, count in result.dead_lettered.items():
        yield _line(beginning, {metrics.REASON: reason, metrics.DEAD_LETTERED: [count]})
    if result.expired:
        values = {metrics.REASON: DROP_EXPIRED, metrics.DROPPED: [result.expired]}
        yield _line(beginning_of([metrics.DROPPED], metrics.REASON), values)
    counts = {
        metrics.PERSISTENCE_THROTTLED: result.throttled,
        metrics.DUPLICATE: result.duplicates,
        metrics.EXPIRED: result.expired,
        metrics.ERASED: len(result.erased),
    }
    totals = {
        **{name: [count] for name, count in counts.items() if count},
        metrics.PERSISTENCE_DURATION: [round(result.write_ms, 3)],
    }
    yield _line(beginning_of(totals), totals)
    for start in range(0, len(result.stored), emf.VALUES_PER_METRIC):
        lags = [round(item.lag_ms) for item in result.stored[start : start + emf.VALUES_PER_METRIC]]
        yield orjson.dumps({metrics.QUEUE_LAG: lags}).decode()


def _beginning(namespace: str, timestamp_ms: int, names: Iterable[str], *dimensions: str) -> bytes:
    """Return the start of lines whose metrics count in total and, if there are any, by all dimensions together."""
    dimension_sets = [dimensions, ()] if dimensions else [()]
    return orjson.dumps(emf.beginning(namespace, timestamp_ms, names, dimension_sets))[:-1]


def _line(beginning: bytes, values: Mapping[str, Any]) -> str:
    return (beginning + b"," + orjson.dumps(values)[1:]).decode()
