"""The recommendation that every row handles: a recorded one of 5 KB, nested, with metric samples."""

from datetime import date
from typing import Any, Final

from examples.executor.execution import Execution
from examples.executor.graph import build_graph
from producer.executor_state import recommendations_of

_INCIDENT: Final = "incident-aws-s3-2017-02-28"
_AGENT: Final = "change-intelligence"  # of the recorded agents, the one whose findings come closest to 5 KB


def typical_fields() -> dict[str, Any]:
    """Return the arguments of `enqueue` for it, as `enqueue_state` takes them from the executor's graph."""
    state = build_graph().compile().invoke(Execution(_INCIDENT, day=date(2026, 1, 31)).initial_state())
    return next(fields for fields in recommendations_of(state) if fields["agent_type"] == _AGENT)


def leaves(value: Any) -> int:
    """Count the strings, numbers, booleans and nulls in a JSON value."""
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list | tuple) else 1
