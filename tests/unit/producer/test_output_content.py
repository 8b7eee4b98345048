"""When two outputs say the same: what tells a node's contribution from what it was given."""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import pytest

from recommendation_producer._executor_state import content
from recommendation_producer._executor_state.content import (
    MAX_BYTES,
    Budget,
    adds_nothing,
    content_of,
    same_but_for_timestamp,
)


@dataclass
class Finding:
    """An object within an output."""

    cause: Any


def compared(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether `one` adds nothing to `other`."""
    new, known = content_of(one, Budget()), content_of(other, Budget())
    assert new is not None
    assert known is not None
    return adds_nothing(new, known)


@pytest.fixture(params=["with orjson", "without orjson"], autouse=True)
def _orjson(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test with and without the host's orjson."""
    if request.param == "without orjson":
        monkeypatch.setattr(content, "ORJSON", None)
        monkeypatch.setattr(content, "_NULL", hash("null"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": {"x": 1, "y": [1.5, "t"]}}, {"a": {"y": [1.5, "t"], "x": 1}}),
        ({"a": (1, 2)}, {"a": [1, 2]}),
        ({"a": Finding({"by": "x"})}, {"a": asdict(Finding({"by": "x"}))}),
        ({"a": {"x", "y", "z"}}, {"a": ["x", "y", "z"]}),
        ({"a": {1: "x"}}, {"a": {"1": "x"}}),
        ({}, {"a": 1}),
        ({"a": None}, {}),
        ({"a": None}, {"a": 1}),
    ],
)
def test_copies_add_nothing(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Whatever order, container or type a copy has, and if it lacks fields."""
    assert compared(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {}),
        ({"a": 1}, {"a": None}),
        ({"a": 1}, {"a": True}),
        ({"a": -1}, {"a": -2}),
        ({"a": Finding(1)}, {"a": Finding(2)}),
        ({"a": Decimal("0.1000000000000000000001")}, {"a": Decimal("0.1000000000000000000002")}),
        ({"a": 2**70}, {"a": 2**70 + 1}),
        ({"a": {"x", "y"}}, {"a": {"x"}}),
        ({"timestamp": "2026-01-31T12:00:00"}, {"timestamp": "2026-01-31T12:00:01"}),
    ],
)
def test_other_content_adds_something(one: dict[str, Any], other: dict[str, Any]) -> None:
    """One different value is enough, also one that only a converted object has."""
    assert not compared(one, other)


def test_timestamp_is_set_aside_on_request() -> None:
    """Two contents give the same recommendation if all else is equal, fields with null included."""
    with_time, without, other = (
        content_of(fields, Budget()) or {}
        for fields in ({"a": 1, "timestamp": "2026-01-31T12:00:00"}, {"a": 1}, {"a": 1, "b": None})
    )
    assert same_but_for_timestamp(with_time, without)
    assert not same_but_for_timestamp(with_time, other)


def test_comparison_is_bounded() -> None:
    """A node's input may hold megabytes; beyond the budget, outputs are compared by identity."""
    budget = Budget()
    assert content_of({"a": "x" * (MAX_BYTES // 2)}, budget) is not None
    assert content_of({"a": "x" * (MAX_BYTES // 2)}, budget) is None
    assert content_of({"a": [Finding(number) for number in range(10_000)]}, Budget()) is None


def test_circles_end_at_the_bound() -> None:
    """They have no end of their own."""
    circle: list[Any] = [Finding(1)]
    circle.append(circle)
    assert content_of({"a": circle}, Budget()) is None
