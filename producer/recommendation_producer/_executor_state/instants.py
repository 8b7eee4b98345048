"""When an output without a timestamp of its own completed. The clock is never asked, so the answer is always the same.

The execution trace says it, if it has an entry for the agent. Otherwise the instant is derived: it is close to the
truth, at most a minute off a known one, and differs between executions.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from recommendation_producer._executor_state.names import kebab_case
from recommendation_producer._executor_state.reading import fields_of, outputs_of
from recommendation_shared.envelope.identity import parse_instant, sort_key
from recommendation_shared.envelope.vocabulary import CONSENSUS

SOURCE: Final = "timestampSource"  # in `metadata`, of an output without a timestamp: one of the two below
EXECUTION_TRACE: Final = "execution_trace"
DERIVED: Final = "derived"
START: Final = "start_timestamp"  # in a state: when its execution started
KNOWN_INSTANTS: Final = "known_instants"  # in a state: the timestamps of outputs that are not in it
# In microseconds. Two executions of one incident clash once in 60 million, and a run rarely takes less than a minute.
_WITHIN: Final = 60_000_000
_NODE_SUFFIXES: Final = ("-node", "-agent")


def instant_of(
    agent_type: str, execution_id: object, given: Mapping[str, Any], state: Mapping[str, Any]
) -> tuple[Any, str]:
    """Return when an agent's output completed, and how that is known. None if the state has no instant at all."""
    traced = _traced(agent_type, state.get("execution_trace"))
    if traced is not None:
        return traced, EXECUTION_TRACE
    known = [_parsed(given.get("timestamp")) or _parsed(state.get(START))]
    if agent_type == CONSENSUS:  # comes after its agents
        known += map(_parsed, [*timestamps_in(state.get("hypotheses")), *(state.get(KNOWN_INSTANTS) or ())])
    start = max((instant for instant in known if instant is not None), default=None)
    return start and sort_key(start + _offset(agent_type, execution_id)), DERIVED


def timestamps_in(hypotheses: Any) -> list[Any]:
    """Return the outputs' own timestamps; none if they cannot be read."""
    try:
        return [fields_of(output).get("timestamp") for _, output in outputs_of(hypotheses)]
    except Exception:  # noqa: BLE001 - a host's object may raise anything; `recommendations_of` counts it
        return []


def _traced(agent_type: str, trace: Any) -> str | None:
    try:
        entries = [fields_of(entry) for _, entry in outputs_of(trace)]
        instants = [_parsed(entry.get("timestamp")) for entry in entries if _names(entry, agent_type)]
    except Exception:  # noqa: BLE001 - as above; the instant is then derived
        return None
    return next((sort_key(instant) for instant in reversed(instants) if instant is not None), None)


def _names(entry: Mapping[str, Any], agent_type: str) -> bool:
    node = kebab_case(entry.get("node_id"))
    return agent_type in {node, *(node.removesuffix(suffix) for suffix in _NODE_SUFFIXES)}


def _parsed(timestamp: Any) -> datetime | None:
    try:
        return parse_instant(timestamp) if isinstance(timestamp, str | datetime) else None
    except ValueError:
        return None


def _offset(agent_type: str, execution_id: object) -> timedelta:
    from hashlib import sha256  # noqa: PLC0415 - hardly ever needed, and importing it costs every host a millisecond

    digest = sha256(f"{agent_type}\n{execution_id}".encode("utf-8", "backslashreplace")).digest()
    return timedelta(microseconds=1 + int.from_bytes(digest[:8]) % (_WITHIN - 1))
