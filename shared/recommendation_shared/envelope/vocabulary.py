"""The agent types that the executor is known to run. Others are allowed."""

from typing import Final

KNOWN_AGENT_TYPES: Final = (
    "signal-intelligence",
    "historical-pattern",
    "change-intelligence",
    "risk-blast-radius",
    "knowledge-rag",
    "response-strategy",
    "consensus",
)
