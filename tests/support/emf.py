"""A parser of EMF lines that rejects what CloudWatch rejects.

The rules are written down here independently of the code under test, from "Specification: Embedded metric format" and
its JSON schema (CloudWatch User Guide), and from Dimension and MetricDatum (CloudWatch API Reference).
"""

import json
import math
from typing import Any, Final, NamedTuple

EVENT_BYTES: Final = (
    256 * 1024
)  # of a log event; CloudWatch has allowed 1 MB since 2025, but some pages still say 256 KB
_DIMENSIONS, _METRICS, _VALUES = 30, 100, 100
_UNITS: Final = {"Count", "Milliseconds"}  # those in use here, of the 27 that are allowed
_GREATEST: Final = 2.0**360


class Value(NamedTuple):
    """One metric under one set of dimensions."""

    name: str
    dimensions: frozenset[tuple[str, str]]
    values: list[float]
    unit: str


def read_emf(text: str) -> list[Value]:
    """Return each metric of a line once per dimension set, as CloudWatch does. Fails if CloudWatch would drop it."""
    assert len(text.encode()) <= EVENT_BYTES
    root = json.loads(text)
    metadata = root["_aws"]
    assert metadata.keys() == {"Timestamp", "CloudWatchMetrics"}
    assert type(metadata["Timestamp"]) is int
    assert metadata["Timestamp"] >= 0
    assert metadata["CloudWatchMetrics"]
    return [value for directive in metadata["CloudWatchMetrics"] for value in _directive(directive, root)]


def totals(output: str) -> dict[str, float]:
    """Return the sum of each metric's values without dimensions, over the EMF lines of an output."""
    sums: dict[str, float] = {}
    for line in output.splitlines():
        for name, dimensions, values, _ in read_emf(line) if '"_aws"' in line else ():
            if not dimensions:
                sums[name] = sums.get(name, 0) + sum(values)
    return sums


def _directive(directive: dict[str, Any], root: dict[str, Any]) -> list[Value]:
    assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
    assert 1 <= len(directive["Namespace"]) <= 255
    assert not directive["Namespace"].startswith(":")
    assert len(directive["Dimensions"]) >= 1
    assert 1 <= len(directive["Metrics"]) <= _METRICS
    parsed = []
    for metric in directive["Metrics"]:
        assert metric.keys() == {"Name", "Unit"}
        assert 1 <= len(metric["Name"]) <= 255
        assert metric["Unit"] in _UNITS
        values = root[metric["Name"]]
        assert isinstance(values, list)
        assert 1 <= len(values) <= _VALUES
        assert all(type(value) in (int, float) and math.isfinite(value) and abs(value) <= _GREATEST for value in values)
        for names in directive["Dimensions"]:
            assert len(names) == len(set(names)) <= _DIMENSIONS
            dimensions = frozenset((name, _dimension(name, root[name])) for name in names)
            parsed.append(Value(metric["Name"], dimensions, values, metric["Unit"]))
    return parsed


def _dimension(name: str, value: Any) -> str:
    assert isinstance(value, str)
    for text, most in ((name, 255), (value, 1024)):
        assert 1 <= len(text) <= most
        assert text.isascii()
        assert text.isprintable()
        assert not text.isspace()
    assert not name.startswith(":")
    return value
