"""The parts of a graph state, an update or an output, whatever type holds them.

Nothing is imported for the types of LangGraph and pydantic: they are recognised by what they look like.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from recommendation_shared.exact_json import foreign

UNREADABLE: Final = object()  # stands for a state or an output that cannot be read
OUTPUTS: Final = ("hypotheses", "consensus")
_OVERWRITE: Final = "__overwrite__"


def states_in(state: Any) -> Iterator[dict[str, Any]]:
    """Yield the parts of a state: of the values, if it is what `get_state` or `invoke(version="v2")` returns.

    A snapshot of a graph that stopped also holds what its tasks had finished; each is yielded as a state of its own.
    Raises `TypeError` for a plain value, and whatever a host's object raises when it is read.
    """
    if not _is_snapshot(state):
        yield parts_of(state)
        return
    values = parts_of(state.values)
    yield values
    for task in state.tasks or ():
        for finished in (getattr(task, "result", None), getattr(task, "state", None)):
            for parts in states_in(finished):
                yield {**values, **dict.fromkeys(OUTPUTS), **parts}


def parts_of(value: Any) -> dict[str, Any]:
    """Return a container's parts by name, each as it is; none for None. Raises `TypeError` for a plain value."""
    value = unwrapped(value)
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return dict(value)
    kind = type(value)
    if hasattr(kind, "__pydantic_serializer__") or hasattr(kind, "__fields_set__"):  # a model of pydantic 2 or 1
        return {**vars(value), **(getattr(value, "model_extra", None) or {})}
    return dict(fields_of(value))


def fields_of(output: Any) -> Mapping[str, Any]:
    """Return an output's fields as they may leave: a pydantic model dumps itself. Raises `TypeError` as above."""
    if isinstance(output, Mapping):
        return output
    fields = foreign.fields(output)
    if fields is None:
        fields = foreign.attributes(output)
    if fields is None:
        raise TypeError(f"{type(output).__qualname__} has no fields")
    return fields


def outputs_of(hypotheses: Any) -> Iterable[tuple[Any, Any]]:
    """Return the outputs that are present, each with its key if it has one.

    They may be the values of a mapping, the fields of a model or another object, or the members of a collection. An
    iterator raises `TypeError`: it belongs to the host, and reading would consume it.
    """
    hypotheses = unwrapped(hypotheses)
    if hypotheses is None:
        return []
    if isinstance(hypotheses, Iterable) and not _has_named_parts(hypotheses):
        if isinstance(hypotheses, Iterator | str | bytes):
            raise TypeError(f"{type(hypotheses).__qualname__} is not a collection of outputs")
        return [(None, output) for output in hypotheses if output is not None]
    parts = parts_of(hypotheses)
    if "agent_id" in parts and not isinstance(hypotheses, Mapping):  # one output instead of several
        return [(None, hypotheses)]
    return [(name, output) for name, output in parts.items() if output is not None]


def unwrapped(value: Any) -> Any:
    """Return what LangGraph's `Overwrite` (in any of its three forms), its `GraphOutput` or a root model holds."""
    kind = type(value)
    if kind is dict:
        if len(value) == 1 and _OVERWRITE in value:
            return value[_OVERWRITE]
        return value["value"] if "value" in value and value.get("type") == _OVERWRITE else value
    if kind.__name__ == "Overwrite" or (kind.__name__ == "GraphOutput" and hasattr(value, "interrupts")):
        return getattr(value, "value", value)
    return value.root if getattr(kind, "__pydantic_root_model__", False) else value


def _has_named_parts(value: Any) -> bool:
    return isinstance(value, Mapping) or hasattr(value, "_fields") or hasattr(type(value), "__pydantic_serializer__")


def _is_snapshot(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("next", "tasks", "config")) and not callable(
        getattr(value, "values", None)
    )
