"""Reviews beside recommendations: commands that read go on without them where they cannot be read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, ParamSpec

import click

from recommendation_cli.aws.connection import DynamoDb, NotDynamoDbError, Target
from recommendation_cli.marks.text import minute
from recommendation_cli.reviews.review import (
    INCIDENT,
    OF_INCIDENT,
    OF_RECOMMENDATION,
    Review,
    ReviewKey,
    Subject,
    latest,
)
from recommendation_cli.reviews.store import ReviewTable, unreadable_text
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.queries import Document
from recommendation_shared.aws_errors import ACCESS_DENIED, MISSING_RESOURCE, error_code
from recommendation_shared.envelope.fields import REVIEWS
from recommendation_shared.item.encoding import PARTITION_KEY
from recommendation_shared.wording import plural

P = ParamSpec("P")


# A list over more incidents than this is read by time, in one query of the index instead of one for each incident.
_FEW_INCIDENTS: Final = 10
_LATER: Final = "~"  # sorts after every sort key


class Reviewed:
    """Any number of reviews, which may be none, and which of them count."""

    def __init__(self, reviews: Iterable[Review] = ()) -> None:
        self._all = sorted(reviews, key=lambda review: review.key.review_id)
        self._latest = latest(self._all)
        self._of_subject: dict[Subject, list[Review]] = {}
        for review in self._all:
            self._of_subject.setdefault(review.subject, []).append(review)

    def of(self, incident_id: str, recommendation_id: str | None = None) -> Review | None:
        """Return the review that counts of a recommendation, or of an incident; None if nobody reviewed it."""
        return self._latest.get(Subject(incident_id, recommendation_id))

    def of_document(self, document: Document) -> list[Review]:
        """Return all reviews of a document, the oldest first; the last one counts."""
        return self.history(str(document.get(INCIDENT)), str(document.get(PARTITION_KEY)))

    def history(self, incident_id: str, recommendation_id: str | None = None) -> list[Review]:
        """Return all reviews of a recommendation, or of an incident, the oldest first."""
        return self._of_subject.get(Subject(incident_id, recommendation_id), [])

    def counting(self) -> list[Review]:
        """Return those that count, the oldest first."""
        return [review for review in self._all if self._latest[review.subject] is review]

    def __iter__(self) -> Iterator[Review]:
        """Yield all of them, the oldest first."""
        return iter(self._all)

    def beside(self, document: Document) -> Document:
        """Return a document with the reviews of it and of its incident, the oldest first, if there are any."""
        said = [*self.history(str(document.get(INCIDENT))), *self.of_document(document)]
        if not said:
            return document
        said.sort(key=lambda review: review.key.review_id)
        return {**document, REVIEWS: [review.record() for review in said]}


class ReviewsBeside:
    """Reads reviews for a command that shows them beside recommendations.

    An older stack has no such table, and a reader may not be allowed to read it. From the first refused call on there
    are no reviews, and `note` says why, in a sentence; it is empty as long as they can be read. `now` (epoch seconds)
    hides what had expired by then, None hides nothing; `until` leaves out what was written after that sort key.
    """

    def __init__(self, client: DynamoDb, target: Target, *, now: float | None, until: str | None = None) -> None:
        self._table = ReviewTable(client, target.table, now=now)
        self._target = target
        self._until = until
        self._later: set[ReviewKey] = set()
        self._incidents: dict[str, Reviewed] = {}
        self._since: str | None = None  # from then on, all reviews of recommendations are in `_by_time`
        self._by_time = Reviewed()
        self._refusal = ""
        self._is_absent = False

    def of_incident(self, incident_id: str) -> Reviewed:
        """Return the reviews of an incident and its recommendations, which are read once."""
        if incident_id not in self._incidents:
            self._incidents[incident_id] = Reviewed(self._read(self._table.reviews_of, incident_id))
        return self._incidents[incident_id]

    def of_documents(self, documents: Sequence[Document]) -> Reviewed:
        """Return the reviews of the documents of one page after another, and of their incidents."""
        incidents = {str(document.get(INCIDENT)) for document in documents}
        if self._since is None and len(incidents - self._incidents.keys()) <= _FEW_INCIDENTS:
            return Reviewed(review for incident in incidents for review in self.of_incident(incident))
        since = min((str(document.get("timestamp")) for document in documents), default=_LATER)
        if self._since is None:  # an incident may have been reviewed before a replay of it
            self._by_time = Reviewed(self._read(self._table.reviews_between, None, None, (OF_INCIDENT,)))
        if since < (self._since or _LATER):
            found = self._read(self._table.reviews_between, since, self._since, (OF_RECOMMENDATION,))
            earlier = (review for review in found if review.at < (self._since or _LATER))
            self._by_time = Reviewed([*self._by_time, *earlier])
            self._since = since
        return self._by_time

    def since(self, since: str | None) -> Reviewed:
        """Return the reviews written at or after a sort key: all of them without one."""
        return Reviewed(self._read(self._table.reviews_between, since, None))

    def _read(self, read: Callable[P, Iterable[Review]], *arguments: P.args, **named: P.kwargs) -> list[Review]:
        from botocore.exceptions import BotoCoreError, ClientError

        if self._refusal:
            return []
        try:
            found = list(read(*arguments, **named))
        except (ClientError, BotoCoreError, NotDynamoDbError) as error:
            self._refusal = _refusal(error, self._target)
            self._is_absent = error_code(error) in ACCESS_DENIED | MISSING_RESOURCE
            return []
        if self._until is None:
            return found
        self._later.update(review.key for review in found if review.at > self._until)
        return [review for review in found if review.at <= self._until]

    @property
    def is_refused(self) -> bool:
        """Whether reviews could not be read."""
        return bool(self._refusal)

    @property
    def is_interrupted(self) -> bool:
        """Whether they could not be read, although the table exists and the caller may read it."""
        return self.is_refused and not self._is_absent

    @property
    def note(self) -> str:
        """Why reviews are missing."""
        if self._refusal:
            return f"Reviews are not shown: {self._refusal}."
        texts = [unreadable_text(self._table.unreadable)] if self._table.unreadable else []
        if self._later:  # written meanwhile, or by a clock that was ahead
            texts.append(f"{plural(len(self._later), 'review')} left out: dated after {minute(self._until or '')}.")
        return " ".join(texts)


def print_note(reviews: ReviewsBeside) -> None:
    """Print on stderr why reviews are missing, if they are."""
    if reviews.note:
        click.echo(reviews.note, err=True)


def _refusal(error: Exception, target: Target) -> str:
    code = error_code(error)
    if code in MISSING_RESOURCE:
        return f"there is no {target} (deploy the stack again, or pass --reviews-table)"
    if code in ACCESS_DENIED:
        return f"you are not allowed to read {target} (RecommendationReaderRole is)"
    return f"the call on {target} failed ({visible(code)})"
