"""The recommendations that every row handles: recorded ones."""

from datetime import date
from typing import Any, Final

from examples.executor.execution import Execution
from examples.executor.graph import build_graph
from recommendation_producer._executor_state import recommendations_of

_INCIDENT: Final = "incident-aws-s3-2017-02-28"
_TYPICAL: Final = "change-intelligence"  # its findings, nested, with metric samples, come closest to 5 KB
_SIMPLEST: Final = "consensus"  # has the fewest leaves


def typical_fields() -> dict[str, Any]:
    """Return the arguments of `enqueue` for an output of 5 KB, as `enqueue_state` takes them from the graph."""
    return recorded_fields()[_TYPICAL]


def simplest_fields() -> dict[str, Any]:
    """Return those of the execution's simplest output, of 2 KB."""
    return recorded_fields()[_SIMPLEST]


def recorded_fields() -> dict[str, dict[str, Any]]:
    """Return those of all outputs of a recorded execution, by agent."""
    state = build_graph().compile().invoke(Execution(_INCIDENT, day=date(2026, 1, 31)).initial_state())
    return {fields["agent_type"]: fields for fields in recommendations_of(state)}


def leaves(value: Any) -> int:
    """Count the strings, numbers, booleans and nulls in a JSON value."""
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list | tuple) else 1
