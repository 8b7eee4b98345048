import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_cli.diff.json_changes import Change, changes, same

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab/~", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"x": 1}, {"x": 1}, []),
        ({"x": 1}, {"x": 2}, [Change("/x", "changed", 1, 2)]),
        ({"x": True}, {"x": 1}, [Change("/x", "changed", True, 1)]),  # noqa: FBT003 - a JSON value
        ({"x": {"y": 1}}, {"x": {"z": 1}}, [Change("/x/y", "removed", 1, None), Change("/x/z", "added", None, 1)]),
        ({"a/b": {"~": 1}}, {"a/b": {"~": 2}}, [Change("/a~1b/~0", "changed", 1, 2)]),
        ({"x": [1]}, {"x": {"0": 1}}, [Change("/x", "changed", [1], {"0": 1})]),
        ([1, 2, 3], [0, 1, 2, 3], [Change("/0", "added", None, 0)]),
        ([1, 2, 3], [1, 3], [Change("/1", "removed", 2, None)]),
        ([{"n": 1, "m": 1}, 9], [{"n": 1, "m": 2}, 9], [Change("/0/m", "changed", 1, 2)]),
        ([1, 2], [5], [Change("/0", "changed", 1, 5), Change("/1", "removed", 2, None)]),
        (None, {}, [Change("", "changed", None, {})]),
    ],
)
def test_changes_are_as_small_as_possible(before: Any, after: Any, expected: list[Change]) -> None:
    """Each is a path with the values on both sides."""
    assert list(changes(before, after)) == expected


@given(JSON, JSON)
def test_there_are_changes_exactly_if_the_values_differ(before: Any, after: Any) -> None:
    """The direction of the comparison does not matter."""
    differences = list(changes(before, after))
    assert (differences == []) == same(before, after)
    assert bool(differences) == bool(list(changes(after, before)))
    assert all(change.kind in ("added", "removed") or not same(change.before, change.after) for change in differences)


def test_long_lists_are_compared_in_time() -> None:
    """Two lists of 100,000 numbers that differ everywhere do not hang a terminal."""
    start = time.process_time()
    assert len(list(changes([0] * 100_000, list(range(100_000))))) == 99_999
    assert time.process_time() - start < 10
