"""Metrics of an invocation as EMF lines on stdout: CloudWatch reads them from the log, and no call is needed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from aws_lambda_powertools.metrics import EphemeralMetrics

from consumer.outcome import Outcome
from shared import metrics

_VALUES: Final = 100  # of one metric in one line (CloudWatch embedded metric format, specification)
_DIMENSION_CHARACTERS: Final = 1024  # CloudWatch API reference, "Dimension": ASCII and not blank


def emit(outcome: Outcome, *, incident_metrics: bool) -> None:
    """Print one EMF line for each combination of dimension values, then those of the invocation as a whole.

    Each line also counts in the sum without dimensions. `incident_metrics` adds the IncidentId dimension, of which
    each new value is a billed metric.
    """
    stored = Counter(
        (one.agent_type, one.incident_id if incident_metrics and _is_dimension_value(one.incident_id) else "")
        for one in outcome.stored
    )
    for (agent_type, incident_id), count in stored.items():
        dimensions = [{metrics.AGENT_TYPE: agent_type}]
        if incident_id:
            dimensions.append({metrics.AGENT_TYPE: agent_type, metrics.INCIDENT_ID: incident_id})
        _print_line({metrics.PERSISTED: [count]}, dimensions)
    not_stored = Counter(outcome.failures.values()) + outcome.dead_lettered
    for error_type, count in not_stored.items():
        _print_line({metrics.PERSISTENCE_FAILURE: [count]}, [{metrics.ERROR_TYPE: error_type}])
    for reason, count in outcome.dead_lettered.items():
        _print_line({metrics.DEAD_LETTERED: [count]}, [{metrics.REASON: reason}])
    counts = {
        metrics.PERSISTENCE_THROTTLED: outcome.throttled,
        metrics.DUPLICATE: outcome.duplicates,
        metrics.EXPIRED: outcome.expired,
    }
    _print_line(
        {
            **{name: [count] for name, count in counts.items() if count},
            metrics.PERSISTENCE_DURATION: [round(outcome.write_ms, 3)],
        }
    )
    for start in range(0, len(outcome.stored), _VALUES):
        _print_line({metrics.QUEUE_LAG: [round(one.lag_ms) for one in outcome.stored[start : start + _VALUES]]})


_MILLISECONDS: Final = frozenset({metrics.PERSISTENCE_DURATION, metrics.QUEUE_LAG})


def _print_line(values: Mapping[str, Sequence[float]], dimensions: Sequence[Mapping[str, str]] = ()) -> None:
    line = EphemeralMetrics(
        namespace=metrics.NAMESPACE,
        service="",  # else POWERTOOLS_SERVICE_NAME becomes a dimension of every metric
        metric_set={name: {"Unit": _unit(name), "Value": list(of_one)} for name, of_one in values.items()},
    )
    for one in dimensions:
        line.add_dimensions(**one)
    line.flush_metrics()


def _unit(name: str) -> str:
    return "Milliseconds" if name in _MILLISECONDS else "Count"


def _is_dimension_value(text: str) -> bool:
    return text.isascii() and not text.isspace() and len(text) <= _DIMENSION_CHARACTERS
