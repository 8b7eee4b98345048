"""An incident's seven recommendations, each of an exact size."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any, Final

from examples.executor.execution import Execution
from examples.executor.graph import build_graph
from examples.executor.run import yesterday
from recommendation_producer._executor_state import recommendations_of
from recommendation_shared.envelope.model import write_envelope
from recommendation_shared.exact_json.dump import dump_json

_INCIDENT: Final = "incident-aws-s3-2017-02-28"


def recommendations(envelope_bytes: int) -> list[dict[str, Any]]:
    """Return the arguments of `enqueue` for six agents and the consensus, each envelope of that many bytes.

    IDs, reasoning, citations and metadata are recorded ones; only the recommendation is made longer or shorter, out of
    recorded findings. Raises ValueError when there is no room for it.
    """
    state = build_graph().compile().invoke(Execution(_INCIDENT, day=yesterday()).initial_state())
    found = list(recommendations_of(state))
    findings = [leaf for fields in found for leaf in _leaves(fields["recommendation"])]
    return [_sized(fields, findings, envelope_bytes) for fields in found]


def _sized(fields: dict[str, Any], findings: list[Any], envelope_bytes: int) -> dict[str, Any]:
    """Take as many findings as fit, and text for the bytes that are left."""
    # Retention is the producer's to add, and counts.
    left = envelope_bytes - _size({**fields, "recommendation": {"findings": [], "rest": ""}})
    if left < 0:
        raise ValueError(
            f"An envelope of {envelope_bytes} bytes is too short for what was recorded: {-left} are missing"
        )
    taken: list[Any] = []
    for number, finding in enumerate(cycle(findings)):
        entry = {"finding": number, "value": finding}
        size = len(dump_json(entry)) + 1  # and a comma
        if size > left:
            break
        taken.append(entry)
        left -= size
    sized = {**fields, "recommendation": {"findings": taken, "rest": ""}}
    return {**sized, "recommendation": {"findings": taken, "rest": "x" * (envelope_bytes - _size(sized))}}


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for child in value.values():
            yield from _leaves(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _leaves(child)
    else:
        yield value


def _size(fields: dict[str, Any]) -> int:
    return len(write_envelope(**{"retention": 90, **fields}).body)
