"""CloudWatch's embedded metric format (EMF): JSON lines on stdout that CloudWatch turns into metrics.

Specification: Amazon CloudWatch User Guide, "Specification: Embedded metric format".
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from recommendation_shared import metrics

VALUES_PER_METRIC: Final = 100  # per line
_DIMENSION_CHARACTERS: Final = 1024  # of a value; Amazon CloudWatch API Reference, Dimension


def directive(
    namespace: str, timestamp_ms: int, names: Iterable[str], dimension_sets: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Return the `_aws` member of a line, which says which other members are metrics and which are dimensions.

    `timestamp_ms` is in epoch milliseconds. Each metric counts once per dimension set, which is a list of dimension
    names; the empty set is the total.
    """
    return {
        "Timestamp": timestamp_ms,
        "CloudWatchMetrics": [
            {
                "Namespace": namespace,
                "Dimensions": dimension_sets,
                "Metrics": [{"Name": name, "Unit": metrics.unit(name)} for name in names],
            }
        ],
    }


def is_dimension_value(text: str) -> bool:
    """Return whether CloudWatch accepts `text` as a dimension value: 1 to 1,024 characters of ASCII, not blank."""
    return 0 < len(text) <= _DIMENSION_CHARACTERS and text.isascii() and text.isprintable() and not text.isspace()
