"""Which attributes to ask for: DynamoDB bills a whole item either way, but sends and `recs` parses only these."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from recommendation_shared.item.encoding import PARTITION_KEY

_KEYS: Final = ("incidentId", "executionId", "agentType", "timestamp", "ttl")
# What lists ask for has the digest: an item without it comes from a compact index (see `compact_index`).
_ALWAYS: Final = (PARTITION_KEY, *_KEYS, "contentDigest", "confidence")

COUNTED: Final = (*_KEYS, "metadata.status")
"""What counting needs. It takes neither the digest nor the ID, whose texts are half of what this much would be."""

FILTERED: Final = (*_ALWAYS, "metadata.status", "metadata.durationMs")
"""What filters need."""

MEASURED: Final = (
    *FILTERED,
    *("metadata.cost", "metadata.tokens", "metadata.model", "metadata.agentVersion"),
)
"""What statistics need."""

IN_COMPACT_INDEXES: Final = (COUNTED, FILTERED, MEASURED)
"""What compact indexes hold too."""

JUDGED: Final = (*MEASURED, "recommendation.minority_opinions")
"""What statistics need of a consensus."""

LISTED: Final = (
    *_ALWAYS,
    "hold",
    "reasoning",
    *("metadata.status", "metadata.durationMs", "metadata.error", "metadata.rawConfidence", "metadata.truncated"),
    *("metadata.replayMetadata.replay_of", "metadata.replayMetadata.replayOf"),
    *("recommendation.unified_recommendation", "recommendation.agreement_level"),
)
"""What a list or a timeline prints: the recommendation only of a consensus, which has no reasoning."""

LISTED_IN_FULL: Final = (*(path for path in LISTED if not path.startswith("recommendation.")), "recommendation")
"""What a list prints where other agents have no reasoning either."""

TEXTS: Final = (*MEASURED, "reasoning", "recommendation", "citations")
"""What a search for text reads."""


class Projection(NamedTuple):
    """A ProjectionExpression and the names that it stands for."""

    expression: str
    names: dict[str, str]


def projection(paths: Iterable[str]) -> Projection:
    """Return the projection of attributes, or of their children, such as `metadata.status`."""
    placeholders: dict[str, str] = {}
    expressions = [
        ".".join(placeholders.setdefault(name, f"#p{len(placeholders)}") for name in path.split(".")) for path in paths
    ]
    return Projection(", ".join(expressions), {placeholder: name for name, placeholder in placeholders.items()})


def lacks_headline(item: Mapping[str, Any]) -> bool:
    """Return whether an item read with `LISTED` has no text that a list could print, unlike the whole item."""
    reasoning = item.get("reasoning", {}).get("S", "").strip()
    error = item.get("metadata", {}).get("M", {}).get("error", {"NULL": True})
    return "contentDigest" in item and not reasoning and "NULL" in error and "recommendation" not in item
