"""Metrics of an invocation as EMF lines on stdout: CloudWatch reads them from the log, and no call is needed.

A full batch has hundreds of combinations of agent and incident, each a line, so lines are made here: Powertools takes
20 µs and more for one, which would be a fifth of what storing a recommendation costs.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from recommendation_consumer.outcome import Outcome
from recommendation_shared import metrics

_VALUES: Final = 100  # of one metric in one line (CloudWatch embedded metric format, specification)
_DIMENSION_CHARACTERS: Final = 1024  # CloudWatch API reference, "Dimension": ASCII, printable and not blank


def emit(outcome: Outcome, now: float, *, incident_metrics: bool) -> None:
    """Print one EMF line for each combination of dimension values, then those of the invocation as a whole.

    Each line also counts in the sum without dimensions. `now` is in epoch seconds. `incident_metrics` adds the
    IncidentId dimension, of which each new value is a billed metric.
    """
    print("\n".join(_lines(outcome, round(now * 1000), incident_metrics=incident_metrics)))  # noqa: T201 - how EMF leaves


def _lines(outcome: Outcome, timestamp: int, *, incident_metrics: bool) -> Iterator[str]:
    stored = Counter(
        (one.agent_type, one.incident_id if incident_metrics and _is_dimension_value(one.incident_id) else "")
        for one in outcome.stored
    )
    by_agent = _head(timestamp, [metrics.PERSISTED], metrics.AGENT_TYPE)
    by_incident = _head(timestamp, [metrics.PERSISTED], metrics.AGENT_TYPE, metrics.INCIDENT_ID)
    for (agent_type, incident_id), count in stored.items():
        values: dict[str, Any] = {metrics.AGENT_TYPE: agent_type, metrics.PERSISTED: [count]}
        if incident_id:
            yield _line(by_incident, {metrics.INCIDENT_ID: incident_id, **values})
        else:
            yield _line(by_agent, values)
    not_stored = Counter(outcome.failures.values()) + outcome.dead_lettered
    head = _head(timestamp, [metrics.PERSISTENCE_FAILURE], metrics.ERROR_TYPE)
    for error_type, count in not_stored.items():
        yield _line(head, {metrics.ERROR_TYPE: error_type, metrics.PERSISTENCE_FAILURE: [count]})
    head = _head(timestamp, [metrics.DEAD_LETTERED], metrics.REASON)
    for reason, count in outcome.dead_lettered.items():
        yield _line(head, {metrics.REASON: reason, metrics.DEAD_LETTERED: [count]})
    counts = {
        metrics.PERSISTENCE_THROTTLED: outcome.throttled,
        metrics.DUPLICATE: outcome.duplicates,
        metrics.EXPIRED: outcome.expired,
    }
    whole = {
        **{name: [count] for name, count in counts.items() if count},
        metrics.PERSISTENCE_DURATION: [round(outcome.write_ms, 3)],
    }
    yield _line(_head(timestamp, whole), whole)
    head = _head(timestamp, [metrics.QUEUE_LAG])
    for start in range(0, len(outcome.stored), _VALUES):
        lags = [round(one.lag_ms) for one in outcome.stored[start : start + _VALUES]]
        yield _line(head, {metrics.QUEUE_LAG: lags})


_MILLISECONDS: Final = frozenset({metrics.PERSISTENCE_DURATION, metrics.QUEUE_LAG})


def _head(timestamp: int, names: Iterable[str], *dimensions: str) -> bytes:
    """Return what lines of these metrics begin with: they count in all, by the first dimension, by both and so on."""
    directive = {
        "Namespace": metrics.NAMESPACE,
        "Dimensions": [dimensions[:count] for count in range(len(dimensions) + 1)],
        "Metrics": [{"Name": name, "Unit": _unit(name)} for name in names],
    }
    return orjson.dumps({"_aws": {"Timestamp": timestamp, "CloudWatchMetrics": [directive]}})[:-1]


def _line(head: bytes, values: Mapping[str, Any]) -> str:
    return (head + b"," + orjson.dumps(values)[1:]).decode()


def _unit(name: str) -> str:
    return "Milliseconds" if name in _MILLISECONDS else "Count"


def _is_dimension_value(text: str) -> bool:
    return text.isascii() and text.isprintable() and not text.isspace() and len(text) <= _DIMENSION_CHARACTERS
