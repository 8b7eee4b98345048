"""Datasets: a reviewed recommendation as an example for evaluation or fine-tuning (docs/dataset.schema.json)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from recommendation_cli.calibration.track_record import OUTCOMES
from recommendation_cli.document_json import document_line
from recommendation_cli.export.redaction import telling, without
from recommendation_cli.facts import facts, metadata_of, replay_of
from recommendation_cli.reviews.beside import Reviewed
from recommendation_cli.reviews.review import INCIDENT, Review
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.filters import exact_confidence
from recommendation_cli.search.queries import Document
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.item.trim import TRUNCATED

DATASET_VERSION: Final = 1
VERSION_FIELD: Final = "datasetVersion"
REVIEWERS: Final = ("provenance.incidentReviewedBy", "provenance.reviewedBy")
_OWN: Final = ("output.citations.", "output.recommendation.")  # an agent's own fields, which have no fixed names
_ID: Final = "recommendationId"
_IN_THE_ID: Final = frozenset({"input.agentType", "input.incidentId", "input.timestamp"})


class Example(NamedTuple):
    """A line of JSON, and which of the redacted fields had a value."""

    line: bytes
    found: frozenset[str]


class Dataset(NamedTuple):
    """What the examples of a dataset hold; `redacted` fields are null.

    `unreviewed` keeps recommendations too that nobody reviewed, nor their incident.
    """

    redacted: tuple[str, ...]
    unreviewed: bool

    def example(self, document: Document, reviews: Reviewed) -> Example | None:
        """Return a document's example; None if it does not belong to the dataset."""
        incident_id = str(document.get(INCIDENT))
        review, incident_review = reviews.of(incident_id, str(document.get(_ID))), reviews.of(incident_id)
        if incident_review is not None and incident_review.is_retraction:
            incident_review = None
        if review is None and incident_review is None and not self.unreviewed:
            return None
        example = _example(document, review, incident_review)
        left_out = sorted({*self.redacted, *telling(example, self.redacted)})
        found = set()
        for path in left_out:
            redacted = without(example, path)
            if redacted != example:
                found.add(path)
            example = redacted
        return Example(document_line({**example, "redacted": left_out}), frozenset(found))

    def not_found(self, found: Iterable[str]) -> list[str]:
        """Return the redacted fields of agents' own that no example had: they may be misspelt."""
        return [path for path in self.redacted if path.startswith(_OWN) and path not in set(found)]


def all_redacted(paths: tuple[str, ...], *, with_reviewers: bool) -> tuple[str, ...]:
    """Return what to leave out besides `paths`; raise `ValueError` for a path that no example can have.

    Without `with_reviewers`, who reviewed is left out. A recommendation's ID goes together with any part of it, and the
    outcome with the verdict.
    """
    known = set(_leaves(_example({}, None, None)))
    for path in paths:
        if path not in known and not path.startswith(_OWN):
            raise ValueError(f"{visible(path)} is not a field of an example; those are {', '.join(sorted(known))}")
    implied = {*([_ID] if _IN_THE_ID & set(paths) else ()), *(["outcome"] if "verdict" in paths else ())}
    return tuple(sorted({*paths, *implied, *(() if with_reviewers else REVIEWERS)}))


def _example(document: Document, review: Review | None, incident_review: Review | None) -> dict[str, Any]:
    known, given = facts(document), metadata_of(document)
    outcome = None if review is None or review.verdict is None else OUTCOMES[review.verdict]
    return {
        VERSION_FIELD: DATASET_VERSION,
        _ID: document.get(_ID),
        "input": {
            **{name: _of(str, document.get(name)) for name in ("incidentId", "executionId", "agentType", "timestamp")},
            "sessionId": _text(given.get("sessionId")),
            "checkpointId": _text(given.get("checkpointId")),
            "replayOf": replay_of(document),
        },
        "output": {
            "recommendation": _of(dict, document.get("recommendation")),
            "confidence": exact_confidence(document),
            "reasoning": _of(str, document.get("reasoning")),
            "citations": _citations(document.get("citations")),
        },
        "verdict": None if review is None or review.verdict is None else str(review.verdict),
        "outcome": None if outcome is None else Decimal(f"{outcome:g}"),
        "note": None if review is None else review.note,
        "rootCause": None if incident_review is None else incident_review.root_cause,
        "resolvedBy": None if incident_review is None else incident_review.resolved_by,
        "incidentNote": None if incident_review is None else incident_review.note,
        "provenance": {
            "agentVersion": known.agent_version,
            "model": known.model,
            "status": known.status or None,
            "contentDigest": _of(str, document.get("contentDigest")),
            "schemaVersion": _of(int, document.get("schemaVersion")),
            "cut": _cuts(given.get(TRUNCATED)),
            "reviewId": None if review is None else review.key.review_id,
            "reviewedBy": None if review is None else review.by,
            "incidentReviewId": None if incident_review is None else incident_review.key.review_id,
            "incidentReviewedBy": None if incident_review is None else incident_review.by,
        },
    }


def _of(kind: type, value: Any) -> Any:
    """Return a value if it has the type that the schema gives it; None for what somebody wrote otherwise by hand."""
    return value if type(value) is kind else None


def _citations(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) and all(isinstance(citation, dict) for citation in value) else None


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else canonical_text(value)


def _cuts(truncated: Any) -> list[str]:
    """Return the paths of what was cut to fit the table."""
    cuts = truncated if isinstance(truncated, list) else []
    return [str(cut.get("path")) for cut in cuts if isinstance(cut, dict)]


def _leaves(example: Mapping[str, Any], prefix: str = "") -> list[str]:
    paths = []
    for name, value in example.items():
        if name != VERSION_FIELD:
            paths += _leaves(value, f"{name}.") if isinstance(value, dict) else [f"{prefix}{name}"]
    return paths
