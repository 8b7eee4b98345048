"""The differences between two JSON values, by path."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any, Final, Literal, NamedTuple

from recommendation_shared.exact_json.canonical import canonical_text

Kind = Literal["added", "removed", "changed"]

# Of two list entries with each other: aligning lists is quadratic, and an item may hold 200,000 numbers.
_MOST_COMPARISONS: Final = 1_000_000


class Change(NamedTuple):
    """One difference. `path` is a JSON Pointer (RFC 6901), empty for the whole value; a side that lacks it is None.

    The path of a list entry has its position after the change, that of a removed entry the position before it.
    """

    path: str
    kind: Kind
    before: Any
    after: Any


def changes(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """Yield the smallest differences between two parsed JSON values: descend while both are objects, or both lists."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            here = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
            if name not in after:
                yield Change(here, "removed", before[name], None)
            elif name not in before:
                yield Change(here, "added", None, after[name])
            else:
                yield from changes(before[name], after[name], here)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list_changes(before, after, path)
    elif not same(before, after):
        yield Change(path, "changed", before, after)


def same(before: Any, after: Any) -> bool:
    """Return whether two JSON values are equal; unlike in Python, `true` is not `1`."""
    return canonical_text(before) == canonical_text(after)


def _list_changes(before: list[Any], after: list[Any], path: str) -> Iterator[Change]:
    """Align equal entries first, so that an entry inserted at the beginning is one change."""
    texts = [canonical_text(entry) for entry in before], [canonical_text(entry) for entry in after]
    for first, last, new_first, new_last in _replaced(*texts):
        paired = min(last - first, new_last - new_first)
        for offset in range(paired):
            yield from changes(before[first + offset], after[new_first + offset], f"{path}/{new_first + offset}")
        for position in range(first + paired, last):
            yield Change(f"{path}/{position}", "removed", before[position], None)
        for position in range(new_first + paired, new_last):
            yield Change(f"{path}/{position}", "added", None, after[position])


def _replaced(before: list[str], after: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the ranges that differ: start and end in `before`, start and end in `after`."""
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if len(old) * len(new) > _MOST_COMPARISONS:
        yield start, start + len(old), start, start + len(new)
        return
    for tag, first, last, new_first, new_last in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield start + first, start + last, start + new_first, start + new_last
