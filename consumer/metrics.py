"""Metrics of an invocation as EMF lines on stdout: CloudWatch reads them from the log, and no call is needed.

A full batch has hundreds of combinations of agent and incident, each a line, so lines are made here: Powertools takes
20 µs and more for one, which would be a fifth of what storing a recommendation costs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from consumer.outcome import Outcome
from shared import metrics

_VALUES: Final = 100  # of one metric in one line (CloudWatch embedded metric format, specification)
_DIMENSION_CHARACTERS: Final = 1024  # CloudWatch API reference, "Dimension": ASCII, printable and not blank


def emit(outcome: Outcome, now: float, *, incident_metrics: bool) -> None:
    """Print one EMF line for each combination of dimension values, then those of the invocation as a whole.

    Each line also counts in the sum without dimensions. `now` is in epoch seconds. `incident_metrics` adds the
    IncidentId dimension, of which each new value is a billed metric.
    """
    timestamp = round(now * 1000)
    stored = Counter(
        (one.agent_type, one.incident_id if incident_metrics and _is_dimension_value(one.incident_id) else "")
        for one in outcome.stored
    )
    for (agent_type, incident_id), count in stored.items():
        dimensions = [(metrics.AGENT_TYPE, agent_type)]
        if incident_id:
            dimensions.append((metrics.INCIDENT_ID, incident_id))
        _print_line(timestamp, {metrics.PERSISTED: [count]}, *dimensions)
    not_stored = Counter(outcome.failures.values()) + outcome.dead_lettered
    for error_type, count in not_stored.items():
        _print_line(timestamp, {metrics.PERSISTENCE_FAILURE: [count]}, (metrics.ERROR_TYPE, error_type))
    for reason, count in outcome.dead_lettered.items():
        _print_line(timestamp, {metrics.DEAD_LETTERED: [count]}, (metrics.REASON, reason))
    counts = {
        metrics.PERSISTENCE_THROTTLED: outcome.throttled,
        metrics.DUPLICATE: outcome.duplicates,
        metrics.EXPIRED: outcome.expired,
    }
    _print_line(
        timestamp,
        {
            **{name: [count] for name, count in counts.items() if count},
            metrics.PERSISTENCE_DURATION: [round(outcome.write_ms, 3)],
        },
    )
    for start in range(0, len(outcome.stored), _VALUES):
        lags = [round(one.lag_ms) for one in outcome.stored[start : start + _VALUES]]
        _print_line(timestamp, {metrics.QUEUE_LAG: lags})


_MILLISECONDS: Final = frozenset({metrics.PERSISTENCE_DURATION, metrics.QUEUE_LAG})


def _print_line(timestamp: int, values: Mapping[str, Sequence[float]], *dimensions: tuple[str, str]) -> None:
    """Print metrics whose values count in all, by the first dimension, by the first two and so on."""
    names = [name for name, _ in dimensions]
    directive = {
        "Namespace": metrics.NAMESPACE,
        "Dimensions": [names[:count] for count in range(len(names) + 1)],
        "Metrics": [{"Name": name, "Unit": _unit(name)} for name in values],
    }
    line = {"_aws": {"Timestamp": timestamp, "CloudWatchMetrics": [directive]}, **dict(dimensions), **values}
    print(orjson.dumps(line).decode())  # noqa: T201 - stdout is how EMF leaves a function


def _unit(name: str) -> str:
    return "Milliseconds" if name in _MILLISECONDS else "Count"


def _is_dimension_value(text: str) -> bool:
    return text.isascii() and text.isprintable() and not text.isspace() and len(text) <= _DIMENSION_CHARACTERS
