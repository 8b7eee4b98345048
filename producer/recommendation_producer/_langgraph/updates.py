"""What a node returned, as the updates of the state that LangGraph takes from it."""

from collections.abc import Iterator
from typing import Any, Final

from recommendation_producer._executor_state.reading import parts_of

_PLAIN: Final = (str, bytes, int, float)


def updates_in(result: Any) -> Iterator[dict[str, Any]]:
    """Yield the updates in a node's result: a mapping, a state object, key-value pairs, a command, or a list of these.

    A command to the parent graph counts like any other. A plain value, such as a message, updates no outputs. Raises
    whatever a host's object raises when it is read.
    """
    if result is None or isinstance(result, _PLAIN):
        return
    if hasattr(result, "goto") and hasattr(result, "update"):  # a `Command`
        yield from updates_in(result.update)
    elif hasattr(result, "update_state"):  # a `Control`, as of langgraph 0.2
        yield from updates_in(result.update_state)
    elif isinstance(result, list | tuple) and not hasattr(result, "_fields"):
        yield from _updates_of_several(result)
    else:
        yield parts_of(result)


def updates_of_raised(error: BaseException) -> Iterator[dict[str, Any]]:
    """Yield the updates in what a node raised: a subgraph raises its nodes' commands to the parent graph."""
    for argument in error.args:
        if hasattr(argument, "goto") and hasattr(argument, "graph"):
            yield from updates_in(argument)


def _updates_of_several(results: list[Any] | tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    for part in results:
        if _is_pair(part):
            yield {part[0]: part[1]}
        else:
            yield from updates_in(part)


def _is_pair(part: Any) -> bool:
    return type(part) is tuple and len(part) == 2 and isinstance(part[0], str)  # noqa: PLR2004 - a key and a value
