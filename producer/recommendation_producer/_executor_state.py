"""The executor's graph state as recommendations: one for each agent's output, and one for the consensus.

The state and its values may be mappings, dataclasses or other objects with attributes. A recommendation depends only
on an agent's output and the agents' common input, not on the run's counters (budget, retries). So the same output
gives the same envelope, whether it is taken as soon as its node finishes or from the final state.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from recommendation_shared.exact_json.dump import dump_json

UNREADABLE: Final = object()  # stands for a state or an output that cannot be read
CONSENSUS: Final = "consensus"
# Parts that become fields of the envelope. All others, including any that a later executor adds, go to the metadata.
_HYPOTHESIS_FIELDS: Final = frozenset(
    {"agent_id", "execution_id", "timestamp", "findings", "confidence", "reasoning", "citations"}
)
_CONSENSUS_FIELDS: Final = frozenset({"aggregated_confidence", "execution_id", "timestamp", "reasoning", "citations"})
_METADATA_NAMES: Final = {"duration": "durationMs"}
_CAMEL_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS: Final = re.compile(r"[^a-z0-9]+")
_CAMEL_CASE: Final = re.compile(r"[a-z]+[A-Za-z0-9]*")
_DIGIT_THEN_LETTER: Final = re.compile(r"\d[a-z]")
_JOINT: Final = re.compile(r"(?<=[0-9A-Za-z])_(?=[0-9A-Z])")
_FIRST_CAPITAL: Final = re.compile(r"^_*[A-Z]")


def recommendations_of(state: object) -> Iterator[dict[str, Any]]:
    """Yield the arguments of `enqueue` for the consensus and every agent's output, including failed agents'.

    Never raises. A part that cannot be read yields empty arguments, which `enqueue` counts as invalid.
    """
    try:
        parts = dict(as_mapping(state))
        given = dict(as_mapping(parts.get("agent_input")))
    except Exception:  # noqa: BLE001 - a host's object may raise anything; counted as invalid
        yield {}
        return
    try:
        outputs = list(_outputs(parts.get("hypotheses")))
    except Exception:  # noqa: BLE001 - likewise
        outputs = [(None, UNREADABLE)]
    session_id = given.get("session_id") or parts.get("session_id")
    for agent_id, output in outputs:
        yield _attempt(output, agent_id, given, session_id)
    if parts.get("consensus") is not None:
        yield _attempt(parts["consensus"], CONSENSUS, given, session_id)


def _outputs(hypotheses: Any) -> Iterable[tuple[Any, Any]]:
    if hypotheses is None:
        return ()
    named = hypotheses.items() if isinstance(hypotheses, Mapping) else ((None, output) for output in hypotheses)
    return ((name, output) for name, output in named if output is not None)


def _attempt(output: object, name: Any, given: Mapping[str, Any], session_id: object) -> dict[str, Any]:
    try:
        return (_consensus if name == CONSENSUS else _hypothesis)(as_mapping(output), name, given, session_id)
    except Exception:  # noqa: BLE001 - a host's object may raise anything; counted as invalid
        return {}


def _hypothesis(
    output: Mapping[str, Any], name: object, given: Mapping[str, Any], session_id: object
) -> dict[str, Any]:
    return {
        **_common(output, given, session_id, _HYPOTHESIS_FIELDS),
        "agent_type": _kebab_case(output.get("agent_id") or name),
        "recommendation": _as_object(output.get("findings"), "findings"),
        "confidence": output.get("confidence"),
    }


def _consensus(output: Mapping[str, Any], name: object, given: Mapping[str, Any], session_id: object) -> dict[str, Any]:
    common = _common(output, given, session_id, frozenset(output))
    return {
        **common,
        "agent_type": name,
        "recommendation": {key: value for key, value in output.items() if key not in _CONSENSUS_FIELDS},
        "confidence": output.get("aggregated_confidence"),
    }


def _common(
    output: Mapping[str, Any], given: Mapping[str, Any], session_id: object, elsewhere: frozenset[str]
) -> dict[str, Any]:
    metadata = {
        _METADATA_NAMES.get(name, _camel_case(str(name))): output[name] for name in output if name not in elsewhere
    }
    for name, value in (("sessionId", session_id), ("replayMetadata", given.get("replay_metadata"))):
        if metadata.get(name) is None:
            metadata[name] = value
    timestamp = output.get("timestamp")
    if timestamp is None:  # an agent was cut off; the run's own instant is the same every time
        timestamp = given.get("timestamp")
        metadata["timestampOf"] = "agent_input"
    return {
        "incident_id": given.get("incident_id"),
        "execution_id": output.get("execution_id") or given.get("execution_id"),
        "timestamp": timestamp,
        "reasoning": _as_text(output.get("reasoning")),
        "citations": _as_objects(output.get("citations")),
        "metadata": {name: value for name, value in metadata.items() if value is not None},
    }


def _kebab_case(agent_id: Any) -> str:
    text = str(getattr(agent_id, "value", agent_id))
    return _SEPARATORS.sub("-", _CAMEL_HUMP.sub("-", text).lower()).strip("-")


def _camel_case(name: str) -> str:
    """Return `agentVersion` for `agent_version`, following the rules of pydantic's `to_camel`."""
    if _CAMEL_CASE.fullmatch(name) and not _DIGIT_THEN_LETTER.search(name):
        return name
    return _FIRST_CAPITAL.sub(lambda match: match.group().lower(), _JOINT.sub("", name.title()))


def _as_text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return dump_json(value).decode()


def _as_objects(value: Any) -> list[Mapping[str, Any]]:
    if value is None:
        return []
    citations = value if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping) else [value]
    return [_as_object(citation, "citation") for citation in citations]


def _as_object(value: Any, name: str) -> Mapping[str, Any]:
    """Return an object's parts, an empty mapping for None, and any other value as a mapping with the key `name`."""
    try:
        return as_mapping(value)
    except TypeError:
        return {name: value}


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return an object's parts, none for None. Raises `TypeError` for a plain value (text, number, list)."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return dict(vars(value))
