"""Names that the contract gives a meaning to."""

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
RAW_CONFIDENCE: Final = "rawConfidence"  # in `metadata`: the text of a confidence that was none
# Recomputed from the other fields wherever an item is made; what a message says under these names is ignored.
DERIVED_FIELDS: Final = frozenset({"ttl", "contentDigest"})
