"""When an output without a timestamp of its own completed. The clock is never asked, so the answer is always the same.

The execution trace says it, if it has an entry for the agent. Otherwise the instant is derived: it is close to the
truth, at most a minute off a known one, and differs between executions. A derived consensus comes after its agents.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from recommendation_producer._executor_state.names import kebab_case
from recommendation_producer._executor_state.reading import fields_of, outputs_of
from recommendation_shared.envelope.identity import parse_instant, sort_key
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.import_guard import importing

SOURCE: Final = "timestampSource"  # in `metadata`, of an output without a timestamp: one of the two below
EXECUTION_TRACE: Final = "execution_trace"
DERIVED: Final = "derived"
START: Final = "start_timestamp"  # in a state: when its execution started
KNOWN_HYPOTHESES: Final = "known_hypotheses"  # in what a node adds to a state: the hypotheses that the state has
# In microseconds. Two executions of one incident clash once in 60 million, and a run rarely takes less than a minute.
_WITHIN: Final = 60_000_000
_NODE_SUFFIXES: Final = ("-node", "-agent")


def instant_of(
    agent_type: str, execution_id: object, given: Mapping[str, Any], state: Mapping[str, Any]
) -> tuple[Any, str]:
    """Return when an agent's output completed, and how that is known. None if the state has no instant at all."""
    traced = _traced(agent_type, state.get("execution_trace"))
    if traced is not None:
        return sort_key(traced), EXECUTION_TRACE
    instant = _parsed(given.get("timestamp")) or _parsed(state.get(START))
    offset = _offset(agent_type, execution_id)
    if agent_type == CONSENSUS:
        said, others = _instants_of_agents(given, state)
        instant = max(filter(None, [instant, *said]), default=None)
        # Only where the order would be wrong, so that no other consensus gets another ID than before.
        if instant is not None and others and max(others) >= instant + offset:
            instant = max(others)
    return instant and sort_key(instant + offset), DERIVED


def execution_of(output: Mapping[str, Any], given: Mapping[str, Any], state: Mapping[str, Any]) -> Any:
    """Return the ID of the execution that an output belongs to."""
    return output.get("execution_id") or given.get("execution_id") or state.get("execution_id")


def _instants_of_agents(given: Mapping[str, Any], state: Mapping[str, Any]) -> tuple[list[datetime], list[datetime]]:
    """Return the timestamps of the agents' outputs, and the instants of the outputs that have none."""
    said: list[datetime | None] = []
    others: list[datetime | None] = []
    for hypotheses in (state.get("hypotheses"), state.get(KNOWN_HYPOTHESES)):
        for name, output in _readable(hypotheses):
            agent_type = kebab_case(output.get("agent_id") or name)
            if output.get("timestamp") is not None:
                said.append(_parsed(output["timestamp"]))
            elif agent_type != CONSENSUS:
                instant, _ = instant_of(agent_type, execution_of(output, given, state), given, state)
                others.append(_parsed(instant))
    return [*filter(None, said)], [*filter(None, others)]


def _readable(hypotheses: Any) -> list[tuple[Any, Mapping[str, Any]]]:
    """Return the outputs' names and fields; none if they cannot be read."""
    try:
        return [(name, fields_of(output)) for name, output in outputs_of(hypotheses)]
    except Exception:  # noqa: BLE001 - a host's object may raise anything; `recommendations_of` counts it
        return []


def _traced(agent_type: str, trace: Any) -> datetime | None:
    try:
        entries = [fields_of(entry) for _, entry in outputs_of(trace)]
        instants = [_parsed(entry.get("timestamp")) for entry in entries if _names(entry, agent_type)]
    except Exception:  # noqa: BLE001 - as above; the instant is then derived
        return None
    return next((instant for instant in reversed(instants) if instant is not None), None)


def _names(entry: Mapping[str, Any], agent_type: str) -> bool:
    node = kebab_case(entry.get("node_id"))
    return agent_type in {node, *(node.removesuffix(suffix) for suffix in _NODE_SUFFIXES)}


def _parsed(timestamp: Any) -> datetime | None:
    try:
        return parse_instant(timestamp) if isinstance(timestamp, str | datetime) else None
    except ValueError:
        return None


def _offset(agent_type: str, execution_id: object) -> timedelta:
    with importing():
        from hashlib import sha256  # noqa: PLC0415 - hardly ever needed, and importing it costs every host a millisecond

    digest = sha256(f"{agent_type}\n{execution_id}".encode("utf-8", "backslashreplace")).digest()
    return timedelta(microseconds=1 + int.from_bytes(digest[:8]) % (_WITHIN - 1))
