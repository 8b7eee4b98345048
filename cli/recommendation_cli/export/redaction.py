"""Leaving fields out of a dataset's examples, and what would tell their values."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from recommendation_shared.item.trim import CUT_JSON

_STAND_IN: Final = "…"  # ends the name of an entry whose own name DynamoDB rejects; its value is JSON text
_INPUT: Final = "input."
# What may contain other parts of the input, such as an execution that is named after its incident.
_IDS: Final = ("recommendationId", "input.executionId", "input.sessionId", "input.checkpointId", "input.replayOf")


def without(value: Any, path: str) -> Any:
    """Return a value with null at a path of names joined by dots, in each entry of every list on the way.

    The names of an agent's own fields may have dots in them too. Where the way leads into text, all of the text is left
    out: what is too large, too deep or badly named for the table is stored as JSON text.
    """
    if isinstance(value, list):
        return [without(child, path) for child in value]
    if isinstance(value, str):
        return None
    if not isinstance(value, dict):
        return value
    if value.keys() == {CUT_JSON}:
        return {CUT_JSON: None}
    return {name: _child_without(name, child, path) for name, child in value.items()}


def _child_without(name: str, child: Any, path: str) -> Any:
    if name == path or (name.endswith(_STAND_IN) and path.startswith(name.rstrip(_STAND_IN))):
        return None
    return without(child, path.removeprefix(f"{name}.")) if path.startswith(f"{name}.") else child


def telling(example: Mapping[str, Any], paths: Iterable[str]) -> set[str]:
    """Return the paths of the IDs that contain a part of the input which `paths` leave out."""
    values = [value for path in paths if path.startswith(_INPUT) and (value := _text(example, path))]
    return {path for path in _IDS if any(value in _text(example, path) for value in values)}


def _text(example: Mapping[str, Any], path: str) -> str:
    value: Any = example
    for name in path.split("."):
        value = value[name]
    return value if isinstance(value, str) else ""
