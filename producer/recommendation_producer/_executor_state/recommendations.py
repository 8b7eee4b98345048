"""The executor's graph state as recommendations: one for each agent's output, and one for the consensus.

A recommendation depends only on an agent's output and the agents' common input, not on the run's counters (budget,
retries). So the same output gives the same envelope, whether it is taken as soon as its node finishes or from the final
state. Only an output without a timestamp needs more of the state, see `instants`.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from recommendation_producer._executor_state.content import Budget, Content, adds_nothing, content_of
from recommendation_producer._executor_state.instants import SOURCE, execution_of, instant_of
from recommendation_producer._executor_state.names import camel_case, kebab_case
from recommendation_producer._executor_state.reading import (
    UNREADABLE,
    fields_of,
    outputs_of,
    parts_of,
    states_in,
    unwrapped,
)
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.exact_json import foreign
from recommendation_shared.exact_json.dump import dump_json
from recommendation_shared.exact_json.plain import to_plain

# Parts that become fields of the envelope. All others, including any that a later executor adds, go to the metadata.
_HYPOTHESIS_FIELDS: Final = frozenset(
    {"agent_id", "execution_id", "timestamp", "findings", "confidence", "reasoning", "citations"}
)
_CONSENSUS_FIELDS: Final = frozenset({"aggregated_confidence", "execution_id", "timestamp", "reasoning", "citations"})
_METADATA_NAMES: Final = {"duration": "durationMs"}


class FoundOutput:
    """The arguments of `enqueue` for one output, none if it cannot be read; and what the output says."""

    def __init__(self, fields: dict[str, Any], content: Content | None = None) -> None:
        self.fields: Final = fields
        self.content: Final = content


def recommendations_of(state: object) -> Iterator[FoundOutput]:
    """Yield the consensus and every agent's output, including failed agents'.

    Never raises. A part that cannot be read yields empty arguments, which `enqueue` counts as invalid.
    """
    budget = Budget()
    found: list[FoundOutput] = []
    try:
        for number, parts in enumerate(states_in(state)):
            for output in _found_in(parts, budget):
                if number == 0 or not _is_among(found, output):
                    found.append(output)
                    yield output
    except Exception:  # noqa: BLE001 - a host's object may raise anything; counted as invalid
        yield FoundOutput({})


def _is_among(found: list[FoundOutput], output: FoundOutput) -> bool:
    """Return whether an output of a snapshot's task is in the snapshot's values as well."""
    return any(
        known.content is not None
        and output.content is not None
        and known.fields["agent_type"] == output.fields["agent_type"]
        and adds_nothing(output.content, known.content)
        for known in found
    )


def _found_in(parts: Mapping[str, Any], budget: Budget) -> Iterator[FoundOutput]:
    try:
        given = parts_of(parts.get("agent_input"))
    except Exception:  # noqa: BLE001 - likewise
        yield FoundOutput({})
        return
    try:
        outputs = list(outputs_of(parts.get("hypotheses")))
    except Exception:  # noqa: BLE001 - likewise
        outputs = [(None, UNREADABLE)]
    for agent_id, output in outputs:
        yield _attempt(output, agent_id, given, parts, budget)
    consensus = unwrapped(parts.get("consensus"))
    if consensus is not None:
        yield _attempt(consensus, CONSENSUS, given, parts, budget)


def _attempt(
    output: object, name: Any, given: Mapping[str, Any], state: Mapping[str, Any], budget: Budget
) -> FoundOutput:
    try:
        fields = fields_of(output)
        arguments = (_consensus if name == CONSENSUS else _hypothesis)(fields, name, given, state)
        return FoundOutput(arguments, content_of(fields, budget))
    except Exception:  # noqa: BLE001 - a host's object may raise anything; counted as invalid
        return FoundOutput({})


def _hypothesis(
    output: Mapping[str, Any], name: object, given: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    agent_type = kebab_case(output.get("agent_id") or name)
    return {
        **_common(output, agent_type, given, state, _HYPOTHESIS_FIELDS),
        "recommendation": as_object(output.get("findings"), "findings"),
        "confidence": output.get("confidence"),
    }


def _consensus(
    output: Mapping[str, Any], name: str, given: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        **_common(output, name, given, state, frozenset(output)),
        "recommendation": {key: value for key, value in output.items() if key not in _CONSENSUS_FIELDS},
        "confidence": output.get("aggregated_confidence"),
    }


def _common(
    output: Mapping[str, Any],
    agent_type: str,
    given: Mapping[str, Any],
    state: Mapping[str, Any],
    elsewhere: frozenset[str],
) -> dict[str, Any]:
    metadata = {
        _METADATA_NAMES.get(name, camel_case(str(name))): output[name] for name in output if name not in elsewhere
    }
    session_id = given.get("session_id") or state.get("session_id")
    for name, value in (("sessionId", session_id), ("replayMetadata", given.get("replay_metadata"))):
        if metadata.get(name) is None:
            metadata[name] = value
    execution_id = execution_of(output, given, state)
    timestamp = output.get("timestamp")
    if timestamp is None:  # an agent was cut off, or a node copied an output without it
        timestamp, metadata[SOURCE] = instant_of(agent_type, execution_id, given, state)
    return {
        "incident_id": as_id(given.get("incident_id") or state.get("incident_id")),
        "execution_id": as_id(execution_id),
        "agent_type": agent_type,
        "timestamp": timestamp,
        "reasoning": as_text(output.get("reasoning")),
        "citations": as_objects(output.get("citations")),
        "metadata": {name: value for name, value in metadata.items() if value is not None},
    }


def as_id(value: Any) -> Any:
    """Return a UUID, an enum member or a number as text; `enqueue` refuses None."""
    return value if value is None or type(value) is str else str(getattr(value, "value", value))


def as_text(value: Any) -> str:
    """Return text as it is, nothing for None, and any other value as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return dump_json(value).decode()


def as_objects(value: Any) -> list[Mapping[str, Any]]:
    """Return the fields of each object of a collection, or of one object that is not in a collection."""
    if value is None:
        return []
    if isinstance(value, AbstractSet):
        value = to_plain(value)[0]  # in an order that is the same in every process
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes) and not hasattr(value, "_fields")
    return [as_object(citation, "citation") for citation in (value if is_list else [value])]


def as_object(value: Any, name: str) -> Mapping[str, Any]:
    """Return an object's fields, none for None, and any other value as a mapping with the key `name`."""
    if value is None:
        return {}
    try:
        fields = value if isinstance(value, Mapping) else foreign.fields(value)
    except Exception:  # noqa: BLE001 - a host's object may raise anything; it is then marked in its place
        fields = None
    return {name: value} if fields is None else fields
