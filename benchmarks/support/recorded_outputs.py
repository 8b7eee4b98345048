"""Recorded agent outputs, as arguments of `enqueue`: the payload that every benchmark handles."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from examples.executor.execution import Execution
from examples.executor.graph import build_graph
from recommendation_producer._executor_state.recommendations import recommendations_of

_INCIDENT: Final = "incident-aws-s3-2017-02-28"
_DAY: Final = date(2026, 1, 31)
_TYPICAL: Final = "change-intelligence"  # its nested findings with metric samples come closest to 5 KB
_SIMPLEST: Final = "consensus"  # has the fewest leaves


def typical_fields() -> dict[str, Any]:
    """Return the arguments of `enqueue` for a typical output, of 5 KB."""
    return recorded_fields()[_TYPICAL]


def simplest_fields() -> dict[str, Any]:
    """Return the arguments of `enqueue` for the simplest output of the execution, of 2 KB."""
    return recorded_fields()[_SIMPLEST]


def recorded_fields(day: date = _DAY) -> dict[str, dict[str, Any]]:
    """Return the arguments of `enqueue` for every output of one execution on `day`, by agent type."""
    state = build_graph().compile().invoke(Execution(_INCIDENT, day=day).initial_state())
    return {found.fields["agent_type"]: found.fields for found in recommendations_of(state)}


def leaves(value: Any) -> Iterator[Any]:
    """Yield the strings, numbers, booleans and nulls in a JSON value, depth first."""
    if isinstance(value, dict):
        for child in value.values():
            yield from leaves(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from leaves(child)
    else:
        yield value


def count_leaves(value: Any) -> int:
    """Return how many leaves a JSON value has."""
    return sum(1 for _ in leaves(value))
