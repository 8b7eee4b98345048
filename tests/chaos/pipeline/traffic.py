"""The traffic: recorded recommendations under new IDs, mixed with everything that can be wrong with one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256
from random import Random
from typing import Any, Final

from examples.executor.execution import executions
from examples.executor.graph import build_graph
from recommendation_producer._executor_state.recommendations import recommendations_of
from recommendation_shared.envelope.errors import ID_MISMATCH, INVALID_ENVELOPE, INVALID_JSON, UNKNOWN_SCHEMA_VERSION
from recommendation_shared.envelope.identity import parse_instant
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.writing import write_envelope
from recommendation_shared.item.encoding import encode_item
from recommendation_shared.item.trim import TRUNCATED
from recommendation_shared.queue.dead_letter import EXPIRED
from tests.chaos.pipeline.submission import Submission

PLAIN: Final = "plain"
SHARES: Final = {  # of all submissions; the rest is plain
    "twice": 0.01,
    "expired": 0.01,
    "conflict": 0.005,  # followed by an envelope with the same ID and different content
    "oversize": 0.001,  # 450 KB to 1.3 MB: too large for an item, and some too large for a message
    "refused": 0.002,  # by the producer
    "not JSON": 0.004,
    "wrong schema": 0.004,
    "wrong ID": 0.004,
    "newer schema": 0.002,
}
REASONS: Final = {  # the expected failure reasons of the bodies that no producer writes, which go to the queue directly
    "not JSON": INVALID_JSON,
    "wrong schema": INVALID_ENVELOPE,
    "wrong ID": ID_MISMATCH,
    "newer schema": UNKNOWN_SCHEMA_VERSION,
}
_OVERSIZE: Final = (450_000, 1_300_000)  # bytes of reasoning
_LONG_AGO: Final = timedelta(days=200)  # twice the retention

Fields = dict[str, Any]  # arguments of `enqueue`


class Traffic:
    """A function of seed, number and day: the same ones give the same envelopes."""

    def __init__(self, seed: int, day: date) -> None:
        self._seed = seed
        self._day = day

    @cached_property
    def _recorded(self) -> Sequence[Fields]:
        graph = build_graph().compile()
        states = (graph.invoke(execution.initial_state()) for execution in executions(self._day))
        return [found.fields for state in states for found in recommendations_of(state)]

    def kind(self, number: int) -> str:
        """Return the kind of the submission with this number."""
        left = self._chance(number).random()
        for kind, share in SHARES.items():
            left -= share
            if left < 0:
                return kind
        return PLAIN

    def enqueued(self, number: int) -> Iterator[Fields]:
        """Yield the arguments of each `enqueue` call for this number, in order."""
        kind = self.kind(number)
        fields = self._fields(number)
        match kind:
            case "expired":
                fields["timestamp"] = parse_instant(fields["timestamp"]) - _LONG_AGO
            case "oversize":
                size = self._chance(number, "size").randint(*_OVERSIZE)
                fields["reasoning"] = f"{number}: " + "señal ruidosa; " * (size // 16)
            case "refused":
                fields["agent_type"] = "Not Kebab Case"
        yield fields
        if kind == "twice":
            yield fields
        elif kind == "conflict":
            yield {**fields, "reasoning": "On second thought, the opposite."}

    def direct_body(self, number: int) -> str:
        """Return the body that is put into the queue directly, without the producer."""
        wire = json.loads(write_envelope(**self._fields(number)).body)
        changes: Mapping[str, Mapping[str, Any]] = {
            "wrong schema": {"recommendation": "roll back", "citations": 7},
            "wrong ID": {"recommendationId": f"rec-of-somebody-else-{number}"},
            "newer schema": {"schemaVersion": 2},
        }
        kind = self.kind(number)
        return f'{{"broken": {number}' if kind == "not JSON" else json.dumps({**wire, **changes[kind]})

    def _fields(self, number: int) -> Fields:
        copy, index = divmod(number, len(self._recorded))
        fields = self._recorded[index]
        return {
            **fields,
            "incident_id": f"{fields['incident_id']}-{copy}",
            "execution_id": f"{fields['execution_id']}-{copy}",
            "metadata": {**fields["metadata"], "number": number},
        }

    def _chance(self, number: int, purpose: str = "kind") -> Random:
        return Random(f"{self._seed}/{purpose}/{number}")


def enqueued_submission(name: str, kind: str, fields: Fields) -> Submission:
    """Return the submission of an envelope to the producer, with its expected end."""
    if kind == "refused":
        return Submission(name, kind)
    wire = write_envelope(**fields)
    item = encode_item(read_envelope(wire.body))
    if (kind == "oversize") != (f'"{TRUNCATED}"'.encode() in item.body):
        raise AssertionError(f"{name}: only oversize items, and all of them, must be trimmed")
    fingerprint = sha256(item.body).hexdigest()
    body = sha256(wire.body).hexdigest()
    if kind == "expired":
        return Submission(name, kind, wire.recommendation_id, body=body, reason=EXPIRED)
    return Submission(name, kind, wire.recommendation_id, fingerprint, body)


def direct_submission(name: str, kind: str, body: str) -> Submission:
    """Return the submission of a body that goes to the queue directly, with its expected end."""
    return Submission(name, kind, body=sha256(body.encode()).hexdigest(), reason=REASONS[kind])
