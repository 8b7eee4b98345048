"""CloudWatch's embedded metric format (EMF): JSON lines on stdout that CloudWatch turns into metrics.

Specification: Amazon CloudWatch User Guide, "Specification: Embedded metric format".
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from recommendation_shared import metrics

VALUES_PER_METRIC: Final = 100  # per line
_ABOVE_INFO: Final = frozenset({"WARN", "ERROR", "FATAL"})  # log levels of Lambda
_DIMENSION_CHARACTERS: Final = 1024  # of a value; Amazon CloudWatch API Reference, Dimension


def beginning(
    namespace: str,
    timestamp_ms: int,
    names: Iterable[str],
    dimension_sets: Sequence[Sequence[str]],
    environ: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """Return the first members of a line, which say which other members are metrics and which are dimensions.

    `timestamp_ms` is in epoch milliseconds. Each metric counts once per dimension set, which is a list of dimension
    names; the empty set is the total. `environ` is that of a Lambda function, whose log level must not hold metrics
    back.
    """
    return {"_aws": _directive(namespace, timestamp_ms, names, dimension_sets), **_level(timestamp_ms, environ)}


def _level(timestamp_ms: int, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the members with which a line passes Lambda's own filter, which takes any other line for INFO.

    That filter needs Lambda's JSON log format. AWS Lambda Developer Guide, "Log-level filtering": the level must come
    with an RFC 3339 timestamp.
    """
    level = environ.get("AWS_LAMBDA_LOG_LEVEL", "")
    if environ.get("AWS_LAMBDA_LOG_FORMAT") != "JSON" or level not in _ABOVE_INFO:
        return {}
    from datetime import UTC, datetime  # noqa: PLC0415 - the producer's host rarely needs it

    moment = datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    return {"level": level, "timestamp": moment.isoformat(timespec="milliseconds")}


def _directive(
    namespace: str, timestamp_ms: int, names: Iterable[str], dimension_sets: Sequence[Sequence[str]]
) -> dict[str, Any]:
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
