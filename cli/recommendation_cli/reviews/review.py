"""One review, the item that holds it, and which of several reviews counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from recommendation_shared.envelope.identity import EPOCH, expiry, parse_instant, sort_key
from recommendation_shared.item.attribute_value import AttributeValue

SCHEMA_VERSION: Final = 1
TEXT_BYTES: Final = 8 * 1024  # of each text; our own limit, so that a hundred reviews are one page of a Query
RANDOM_BYTES: Final = 8  # of a review's ID, after its time

INCIDENT: Final = "incidentId"  # the table's hash key
REVIEW_ID: Final = "reviewId"  # the table's sort key, and that of the index over all incidents
KIND: Final = "kind"  # the index's hash key
OF_RECOMMENDATION: Final = "recommendation"  # the kinds, by what a review is about
OF_INCIDENT: Final = "incident"
_ATTRIBUTES: Final = {
    "recommendation_id": "recommendationId",
    "verdict": "verdict",
    "note": "note",
    "root_cause": "rootCause",
    "resolved_by": "resolvedBy",
}


class Verdict(StrEnum):
    """What a person says about one recommendation."""

    HELPFUL = "helpful"
    PARTLY = "partly"
    WRONG = "wrong"
    HARMFUL = "harmful"
    NOT_FOLLOWED = "not-followed"


class Subject(NamedTuple):
    """What a review is about: one recommendation or, without its ID, the incident."""

    incident_id: str
    recommendation_id: str | None


class ReviewKey(NamedTuple):
    """The key of a review's item."""

    incident_id: str
    review_id: str

    def attributes(self) -> dict[str, dict[str, str]]:
        """Return it as DynamoDB JSON."""
        return {INCIDENT: {"S": self.incident_id}, REVIEW_ID: {"S": self.review_id}}


class UnreadableReviewError(ValueError):
    """An item of the reviews table that this version cannot read."""


@dataclass(frozen=True, slots=True)
class Review:
    """What one person said at one time.

    About a recommendation it has a verdict, and may have a note. About an incident, which is what it is about without
    a recommendation's ID, it has a root cause, what resolved the incident, or a note. `by` is the ARN of the caller, as
    STS named it. `expires_at` is in epoch seconds; None keeps the review.
    """

    key: ReviewKey
    recommendation_id: str | None
    verdict: Verdict | None
    note: str | None
    root_cause: str | None
    resolved_by: str | None
    by: str
    expires_at: int | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def incident_id(self) -> str:
        """The incident that it is about, or whose recommendation."""
        return self.key.incident_id

    @property
    def at(self) -> str:
        """When it was written, as a sort key: `2026-01-31T12:00:00.000000Z`."""
        return _time_of(self.key.review_id)

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return Subject(self.incident_id, self.recommendation_id)

    @property
    def is_retraction(self) -> bool:
        """Whether it says nothing, and so takes back what earlier ones said about the incident."""
        return not any((self.verdict, self.note, self.root_cause, self.resolved_by))

    def record(self) -> dict[str, Any]:
        """Return it as plain JSON values for other programs."""
        return {
            INCIDENT: self.incident_id,
            REVIEW_ID: self.key.review_id,
            **self._texts(),
            "by": self.by,
            "at": self.at,
            "schemaVersion": self.schema_version,
        }

    def _texts(self) -> dict[str, str | None]:
        texts = {attribute: getattr(self, name) for name, attribute in _ATTRIBUTES.items()}
        return {attribute: None if text is None else str(text) for attribute, text in texts.items()}

    def item(self) -> dict[str, AttributeValue]:
        """Return its item, as DynamoDB JSON; what it does not say has no attribute."""
        return {
            **self.key.attributes(),
            KIND: {"S": _kind(self.recommendation_id)},
            "schemaVersion": {"N": str(self.schema_version)},
            "by": {"S": self.by},
            **{attribute: {"S": text} for attribute, text in self._texts().items() if text is not None},
            **({} if self.expires_at is None else {"ttl": {"N": str(self.expires_at)}}),
        }


def _kind(recommendation_id: str | None) -> str:
    return OF_INCIDENT if recommendation_id is None else OF_RECOMMENDATION


def checked_text(text: str) -> str:
    """Return a text for a review, without blanks around it. Raises `ValueError`, which states the rule."""
    text = text.strip()
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError("must be UTF-8") from None
    if size > TEXT_BYTES:
        raise ValueError(f"must be at most {TEXT_BYTES:,} bytes of UTF-8, and is {size:,}: link to the rest")
    return text


def review_of(item: Mapping[str, AttributeValue]) -> Review:
    """Return the review that an item holds; raise `UnreadableReviewError` if this version cannot read it."""
    try:
        texts = {name: item[attribute]["S"] if attribute in item else None for name, attribute in _ATTRIBUTES.items()}
        if item[KIND]["S"] != _kind(texts["recommendation_id"]):  # the index would have it among others
            raise UnreadableReviewError("its kind is not that of what it is about")
        key = ReviewKey(item[INCIDENT]["S"], item[REVIEW_ID]["S"])
        if sort_key(parse_instant(_time_of(key.review_id))) != _time_of(key.review_id):
            raise UnreadableReviewError("the time in its ID has another form, by which IDs do not sort")
        verdict = texts.pop("verdict")
        return Review(
            key,
            **texts,
            verdict=None if texts["recommendation_id"] is None else Verdict(verdict or ""),
            by=item["by"]["S"],
            expires_at=int(item["ttl"]["N"]) if "ttl" in item else None,
            schema_version=int(item["schemaVersion"]["N"]),
        )
    except (KeyError, ValueError) as error:  # written by hand, or by a later version
        raise UnreadableReviewError(str(error)) from None


def review_id(now: float, earlier: Iterable[Review], random: str) -> str:
    """Return the ID of a new review: when it is written, and a random part, so that no two are ever equal.

    `now` is in epoch seconds. If a clock that was ahead wrote one of the `earlier` reviews of the incident, the new one
    is a microsecond after it, since the later review counts. After the last microsecond that can be written, the random
    parts sort the reviews.
    """
    instant = EPOCH + timedelta(seconds=now)
    newest = max((review.key.review_id for review in earlier), default="")
    if newest:
        try:
            instant = max(instant, parse_instant(_time_of(newest)) + timedelta(microseconds=1))
        except OverflowError:  # year 9999
            return newest + random
    return f"{sort_key(instant)}/{random}"


def review_expiry(identity: str, retention_days: int | None) -> int | None:
    """Return when the review with an ID expires, in epoch seconds; None keeps it."""
    return expiry(_time_of(identity), retention_days)


def _time_of(identity: str) -> str:
    return identity.partition("/")[0]


def latest(reviews: Iterable[Review]) -> dict[Subject, Review]:
    """Return the review that counts of each subject: the latest, which supersedes the earlier ones."""
    counting: dict[Subject, Review] = {}
    for review in reviews:
        other = counting.get(review.subject)
        if other is None or review.key.review_id > other.key.review_id:
            counting[review.subject] = review
    return counting
