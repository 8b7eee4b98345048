"""A valid recommendation for tests of the contract: its arguments, and its message body."""

import json
from typing import Any, Final

from recommendation_shared.envelope.writing import write_envelope

ARGUMENTS: Final[dict[str, Any]] = {
    "incident_id": "incident-123",
    "execution_id": "execution-1",
    "agent_type": "signal-intelligence",
    "timestamp": "2026-01-31T12:00:00Z",
    "recommendation": {"action": "roll back"},
}


def message_fields(**changes: Any) -> dict[str, Any]:
    """Return the fields of its message body; `changes` replace or add fields, by their names in the message."""
    return {**json.loads(write_envelope(**ARGUMENTS).body), **changes}


def message(**changes: Any) -> str:
    """Return its message body, with the same changes."""
    return json.dumps(message_fields(**changes))
