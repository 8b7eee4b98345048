"""The seven recommendations of an incident, resized to envelopes of an exact size."""

from itertools import cycle
from typing import Any

from benchmarks.support.recorded_outputs import leaves, recorded_fields
from examples.executor.run import yesterday
from recommendation_shared.envelope.writing import write_envelope
from recommendation_shared.exact_json.dump import dump_json


def recommendations(envelope_bytes: int) -> list[dict[str, Any]]:
    """Return the arguments of `enqueue` for six agents and the consensus, each envelope of `envelope_bytes` bytes.

    IDs, reasoning, citations and metadata are recorded; only the recommendation is resized, with recorded findings.
    Raises ValueError if the rest of the envelope leaves no room for it.
    """
    recorded = list(recorded_fields(yesterday()).values())
    findings = [leaf for fields in recorded for leaf in leaves(fields["recommendation"])]
    return [_sized(fields, findings, envelope_bytes) for fields in recorded]


def _sized(fields: dict[str, Any], findings: list[Any], envelope_bytes: int) -> dict[str, Any]:
    """Take as many findings as fit, and pad to the exact size."""
    room = envelope_bytes - _size({**fields, "recommendation": {"findings": [], "rest": ""}})
    if room < 0:
        raise ValueError(f"an envelope of {envelope_bytes} bytes is {-room} too small for the recorded output")
    taken: list[Any] = []
    for number, finding in enumerate(cycle(findings)):
        entry = {"finding": number, "value": finding}
        size = len(dump_json(entry)) + 1  # for the comma
        if size > room:
            break
        taken.append(entry)
        room -= size
    sized = {**fields, "recommendation": {"findings": taken, "rest": ""}}
    return {**sized, "recommendation": {"findings": taken, "rest": "x" * (envelope_bytes - _size(sized))}}


def _size(fields: dict[str, Any]) -> int:
    """Return the bytes of the envelope, including the retention that the producer adds."""
    return len(write_envelope(**{"retention": 90, **fields}).body)
