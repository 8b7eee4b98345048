"""A recommendation in brief: one line for lists, and warnings. All text is safe to print (see `screen.visible`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from recommendation_cli.facts import metadata_of, status_of
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.filters import exact_confidence
from recommendation_cli.search.queries import Document
from recommendation_shared.envelope.fields import HOLD, RAW_CONFIDENCE
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.item.trim import TRUNCATED

_HEADLINE: Final = 400  # characters; longer than any terminal line
_STATUS: Final = 12  # characters


@dataclass(frozen=True, slots=True)
class Summary:
    """A recommendation as a list shows it; `confidence` is None if the agent gave no usable one."""

    recommendation_id: str
    incident_id: str
    execution_id: str
    agent_type: str
    timestamp: str
    confidence: float | None
    odd_confidence: bool
    status: str
    truncated: bool
    held: bool
    headline: str

    @property
    def time_of_day(self) -> str:
        """The time to the millisecond; the recommendation's ID has it exactly."""
        return self.timestamp[11:23].removesuffix("Z")


def summarise(document: Document) -> Summary:
    """Return the summary of any item in the table, including one written by hand."""
    metadata = metadata_of(document)
    return Summary(
        recommendation_id=visible(_text(document.get("recommendationId"))),
        incident_id=visible(_text(document.get("incidentId"))),
        execution_id=visible(_text(document.get("executionId"))),
        agent_type=visible(_text(document.get("agentType"))),
        timestamp=visible(_text(document.get("timestamp"))),
        confidence=usable_confidence(document),
        odd_confidence=RAW_CONFIDENCE in metadata,
        status=visible(status_of(document)[:_STATUS]),
        truncated=bool(metadata.get(TRUNCATED)),
        held=HOLD in document,
        headline=visible(_headline(document)[:_HEADLINE]),
    )


def usable_confidence(document: Document) -> float | None:
    """Return the confidence if it is a number from 0 to 1, otherwise None."""
    confidence = exact_confidence(document)
    return None if confidence is None else float(confidence)


def warnings(document: Document) -> Iterator[str]:
    """Yield what a reader should know before trusting a document: an unusable confidence, and each cut."""
    metadata = metadata_of(document)
    if RAW_CONFIDENCE in metadata:
        raw = visible(str(metadata[RAW_CONFIDENCE]))
        yield f"The agent's confidence was not a number from 0 to 1: {raw}"
    cuts = metadata.get(TRUNCATED)
    for cut in cuts if isinstance(cuts, list) else []:
        if isinstance(cut, dict):
            path, size = visible(str(cut.get("path"))), visible(str(cut.get("bytes")))
            yield f"Cut to fit DynamoDB's 400 KB: {path}, originally {size} bytes (SHA-256 in metadata.{TRUNCATED})"


def _headline(document: Document) -> str:
    """Return the first line of the reasoning, otherwise the error, otherwise what is recommended."""
    reasoning = _text(document.get("reasoning")).strip()
    if reasoning:
        return reasoning.splitlines()[0]
    error = metadata_of(document).get("error")
    said = document.get("recommendation")
    recommendation = said if isinstance(said, dict) else {}
    texts = list(_texts({"error": error})) or sorted(_texts(recommendation), key=_rank)
    return " · ".join(f"{path[-1]}: {text}" for path, text in texts) or canonical_text(recommendation)


def _texts(value: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, child in value.items():
        if isinstance(child, dict):
            yield from _texts(child, (*path, name))
        elif isinstance(child, str) and child:
            yield (*path, name), child


def _rank(entry: tuple[tuple[str, ...], str]) -> tuple[int, int]:
    """Sort fields named after recommending first, such as `recommended_action` in `unified_recommendation`."""
    path, _ = entry
    depths = [depth for depth, name in enumerate(path) if "recommend" in name.lower()]
    return (min(depths, default=len(path)), -len(depths))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else canonical_text(value)
