"""Reviews beside recommendations: commands that read go on without them where they cannot be read."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ParamSpec

from recommendation_cli.aws.connection import DynamoDb, Target
from recommendation_cli.reviews.review import Review, Subject, latest
from recommendation_cli.reviews.store import ReviewTable
from recommendation_cli.screen.visible import visible
from recommendation_shared.aws_errors import ACCESS_DENIED, MISSING_RESOURCE, error_code
from recommendation_shared.wording import plural

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

P = ParamSpec("P")


class Reviewed:
    """Some reviews, and which of them count; none is a value too."""

    def __init__(self, reviews: Iterable[Review] = ()) -> None:
        self._all = sorted(reviews, key=lambda review: review.key.review_id)
        self._latest = latest(self._all)

    def of(self, incident_id: str, recommendation_id: str | None = None) -> Review | None:
        """Return the review that counts of a recommendation, or of an incident; None if nobody reviewed it."""
        return self._latest.get(Subject(incident_id, recommendation_id))

    def history(self, incident_id: str, recommendation_id: str | None = None) -> list[Review]:
        """Return all reviews of a recommendation, or of an incident, the oldest first."""
        subject = Subject(incident_id, recommendation_id)
        return [review for review in self._all if review.subject == subject]

    def counting(self) -> list[Review]:
        """Return those that count, the oldest first."""
        return sorted(self._latest.values(), key=lambda review: review.key.review_id)


class ReviewsBeside:
    """Reads reviews for a command that shows them beside recommendations.

    An older stack has no such table, and a reader may not be allowed to read it. From the first refused call on there
    are no reviews, and `note` says why, in a sentence; it is empty as long as they can be read.
    """

    def __init__(self, client: DynamoDb, target: Target) -> None:
        self._table = ReviewTable(client, target.table)
        self._target = target
        self._incidents: dict[str, Reviewed] = {}
        self._refusal = ""

    def of_incident(self, incident_id: str) -> Reviewed:
        """Return the reviews of an incident and its recommendations, which are read once."""
        if incident_id not in self._incidents:
            self._incidents[incident_id] = Reviewed(self._read(self._table.reviews_of, incident_id))
        return self._incidents[incident_id]

    def since(self, since: str | None, until: str | None = None) -> Reviewed:
        """Return the reviews written in a period; see `ReviewTable.reviews_between`."""
        return Reviewed(self._read(self._table.reviews_between, since, until))

    def _read(self, read: Callable[P, Iterable[Review]], *arguments: P.args, **named: P.kwargs) -> list[Review]:
        from botocore.exceptions import ClientError

        if self._refusal:
            return []
        try:
            return list(read(*arguments, **named))
        except ClientError as error:
            self._refusal = _refusal(error, self._target)
            return []

    @property
    def note(self) -> str:
        """Why reviews are missing."""
        if self._refusal:
            return f"Reviews are not shown: {self._refusal}."
        if self._table.unreadable:
            count = plural(self._table.unreadable, "review")
            return f"{count} left out: a later version of recs wrote what this one cannot read."
        return ""


def _refusal(error: "ClientError", target: Target) -> str:
    code = error_code(error)
    if code in MISSING_RESOURCE:
        return f"there is no {target} (deploy the stack again, or pass --reviews-table)"
    if code in ACCESS_DENIED:
        return f"you may not Query the {target} (RecommendationReaderRole may)"
    return f"the call on {target} failed ({visible(code)})"
