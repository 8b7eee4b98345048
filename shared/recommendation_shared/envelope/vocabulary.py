"""The agent types that the executor is known to run. Others are allowed."""

from typing import Final

CONSENSUS: Final = "consensus"
KNOWN_AGENT_TYPES: Final = (
    "signal-intelligence",
    "historical-pattern",
    "change-intelligence",
    "risk-blast-radius",
    "knowledge-rag",
    "response-strategy",
    CONSENSUS,
)
