"""CloudWatch's embedded metric format (EMF): JSON lines on stdout that CloudWatch turns into metrics.

Specification: Amazon CloudWatch User Guide, "Specification: Embedded metric format".
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from recommendation_shared import metrics

VALUES_PER_METRIC: Final = 100  # in one line
_DIMENSION_CHARACTERS: Final = 1024  # CloudWatch API reference, "Dimension"


def directive(timestamp_ms: int, names: Iterable[str], dimension_sets: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return the member `_aws` of a line: which of its members are metrics, and by which dimensions they count.

    `timestamp_ms` is in epoch milliseconds. `dimension_sets` holds lists of names; the empty list is the total.
    """
    return {
        "Timestamp": timestamp_ms,
        "CloudWatchMetrics": [
            {
                "Namespace": metrics.NAMESPACE,
                "Dimensions": dimension_sets,
                "Metrics": [{"Name": name, "Unit": metrics.unit(name)} for name in names],
            }
        ],
    }


def is_dimension_value(text: str) -> bool:
    """Return whether CloudWatch accepts a text as a dimension's value: printable ASCII, not blank, not too long."""
    return text.isascii() and text.isprintable() and not text.isspace() and len(text) <= _DIMENSION_CHARACTERS
