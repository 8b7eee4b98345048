"""One document as a line of a table. Its text is safe to print (`recommendation_cli.screen.visible`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from recommendation_cli.screen.visible import visible
from recommendation_cli.search.filters import exact_confidence
from recommendation_cli.search.queries import Document
from recommendation_shared.envelope.vocabulary import RAW_CONFIDENCE
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.item.trim import TRUNCATED

_HEADLINE: Final = 400  # characters; no terminal line is longer
_STATUS: Final = 12  # characters


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows of one recommendation; `confidence` is None when the agent gave no usable one."""

    recommendation_id: str
    incident_id: str
    execution_id: str
    agent_type: str
    timestamp: str
    confidence: float | None
    odd_confidence: bool
    status: str
    truncated: bool
    headline: str


def summarise(document: Document) -> Summary:
    """Return the summary of any item of the table, one written by hand included."""
    metadata = _object(document.get("metadata"))
    return Summary(
        recommendation_id=visible(_text(document.get("recommendationId"))),
        incident_id=visible(_text(document.get("incidentId"))),
        execution_id=visible(_text(document.get("executionId"))),
        agent_type=visible(_text(document.get("agentType"))),
        timestamp=visible(_text(document.get("timestamp"))),
        confidence=usable_confidence(document),
        odd_confidence=RAW_CONFIDENCE in metadata,
        status=visible(_text(metadata.get("status"))[:_STATUS]),
        truncated=bool(metadata.get(TRUNCATED)),
        headline=visible(_headline(document)[:_HEADLINE]),
    )


def usable_confidence(document: Document) -> float | None:
    """Return the confidence when it is a number from 0 to 1, else None."""
    confidence = exact_confidence(document)
    return None if confidence is None else float(confidence)


def _headline(document: Document) -> str:
    """Return the reasoning's first line; without one, what the error says, or else what is recommended."""
    reasoning = _text(document.get("reasoning")).strip()
    if reasoning:
        return reasoning.splitlines()[0]
    error = _object(document.get("metadata")).get("error")
    recommendation = _object(document.get("recommendation"))
    texts = list(_texts({"error": error})) or sorted(_texts(recommendation), key=_rank)
    return " · ".join(f"{path[-1]}: {text}" for path, text in texts) or canonical_text(recommendation)


def _texts(value: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, child in value.items():
        if isinstance(child, dict):
            yield from _texts(child, (*path, name))
        elif isinstance(child, str) and child:
            yield (*path, name), child


def _rank(found: tuple[tuple[str, ...], str]) -> tuple[int, int]:
    """Sort first what is named a recommendation, such as `unified_recommendation` with its `recommended_action`."""
    named = [depth for depth, name in enumerate(found[0]) if "recommend" in name.lower()]
    return (min(named, default=len(found[0])), -len(named))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else canonical_text(value)
