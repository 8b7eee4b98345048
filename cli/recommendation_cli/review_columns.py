"""The columns that CSV and Parquet have for the reviews beside a document."""

from collections.abc import Mapping
from typing import Any, Final

from recommendation_shared.envelope.fields import REVIEWS


def review_columns(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the reviews that count say about a recommendation and its incident; None where there is none."""
    verdict = root_cause = None
    beside = document.get(REVIEWS)
    for review in beside if isinstance(beside, list) else []:  # the oldest first
        if isinstance(review, dict) and review.get("recommendationId") is not None:
            verdict = review
        elif isinstance(review, dict):
            root_cause = review
    of_recommendation: Mapping[str, Any] = verdict or {}
    of_incident: Mapping[str, Any] = root_cause or {}
    return {
        "verdict": _text(of_recommendation.get("verdict")),
        "reviewNote": _text(of_recommendation.get("note")),
        "reviewedBy": _text(of_recommendation.get("by")),
        "reviewedAt": _text(of_recommendation.get("at")),
        "rootCause": _text(of_incident.get("rootCause")),
        "resolvedBy": _text(of_incident.get("resolvedBy")),
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


REVIEW_COLUMNS: Final = tuple(review_columns({}))
