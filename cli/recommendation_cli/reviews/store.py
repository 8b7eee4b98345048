"""The reviews table: reading, writing and deleting reviews, never with a Scan."""

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import chain
from typing import Any, Final

from recommendation_cli.aws.connection import DynamoDb, WritableDynamoDb
from recommendation_cli.aws.table_calls import queried
from recommendation_cli.reviews.review import (
    INCIDENT,
    KIND,
    OF_INCIDENT,
    OF_RECOMMENDATION,
    REVIEW_ID,
    Review,
    ReviewKey,
    UnreadableReviewError,
    review_of,
)
from recommendation_shared.aws_errors import CONDITION_FAILED, error_code
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.wording import plural

INDEX: Final = f"{KIND}-{REVIEW_ID}-index"  # of all reviews of each kind, in order of time
_LAST: Final = "~"  # sorts after every ID that begins with a given time


class ReviewTable:
    """Reads reviews. `unreadable` counts items that this version could not read: a later one wrote them.

    `now` (epoch seconds) hides what had expired by then, which DynamoDB deletes only days later; None hides nothing.
    """

    def __init__(self, client: DynamoDb, table: str, *, now: float | None = None) -> None:
        self._client = client
        self._table = table
        self._now = now
        self.unreadable = 0

    def reviews_of(self, incident_id: str) -> list[Review]:
        """Return all reviews of an incident and its recommendations, the oldest first, with strong consistency."""
        return list(self._readable(self._items(*_of(incident_id), ConsistentRead=True)))

    def reviews_between(
        self, since: str | None, until: str | None, kinds: Iterable[str] = (OF_RECOMMENDATION, OF_INCIDENT)
    ) -> Iterator[Review]:
        """Yield all reviews written in a period, the oldest first; None leaves that side open.

        `since` and `until` are sort keys, both inclusive. A review is written after what it is about, so a period that
        begins with a recommendation's timestamp and does not end has every review of that recommendation; not so of
        its incident, which may have been reviewed before a replay.
        """
        return merge(
            *(self._readable(self._written(kind, since, until)) for kind in kinds),
            key=lambda review: review.key.review_id,
        )

    def _written(self, kind: str, since: str | None, until: str | None) -> Iterator[Mapping[str, AttributeValue]]:
        condition, values = f"{KIND} = :kind", {":kind": {"S": kind}}
        if since is not None or until is not None:
            condition += f" AND {REVIEW_ID} BETWEEN :since AND :until"
            values |= {":since": {"S": since or " "}, ":until": {"S": (until or "") + _LAST}}
        return self._items(condition, values, IndexName=INDEX)

    def keys_of(self, incident_id: str) -> list[ReviewKey]:
        """Return the keys of everything that the table holds about an incident, readable or not."""
        items = self._items(*_of(incident_id), ConsistentRead=True, ProjectionExpression=f"{INCIDENT}, {REVIEW_ID}")
        return [ReviewKey(item[INCIDENT]["S"], item[REVIEW_ID]["S"]) for item in items]

    def _items(
        self, condition: str, values: Mapping[str, AttributeValue], **parameters: Any
    ) -> Iterator[Mapping[str, AttributeValue]]:
        parameters |= {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
        return chain.from_iterable(queried(self._client, self._table, parameters))

    def _readable(self, items: Iterator[Mapping[str, AttributeValue]]) -> Iterator[Review]:
        for item in items:
            try:
                review = review_of(item)
            except UnreadableReviewError:
                self.unreadable += 1
                continue
            if self._now is None or review.expires_at is None or review.expires_at > self._now:
                yield review


def unreadable_text(count: int) -> str:
    """Return what to say where reviews were left out."""
    return f"{plural(count, 'review')} left out: a later version of recs wrote what this one cannot read."


def _of(incident_id: str) -> tuple[str, dict[str, AttributeValue]]:
    return f"{INCIDENT} = :incident", {":incident": {"S": incident_id}}


def put_review(client: WritableDynamoDb, table: str, review: Review) -> None:
    """Store a new review; the condition keeps it from replacing another one."""
    from botocore.exceptions import ClientError

    condition = f"attribute_not_exists({REVIEW_ID})"
    try:
        client.put_item(TableName=table, Item=review.item(), ConditionExpression=condition)
    except ClientError as error:
        # botocore repeats a call whose answer was lost: the condition then fails on this very review.
        is_stored = error_code(error) == CONDITION_FAILED and review in ReviewTable(client, table).reviews_of(
            review.incident_id
        )
        if not is_stored:
            raise


def delete_review(client: WritableDynamoDb, table: str, key: ReviewKey) -> None:
    """Delete a review, for an erasure; one that is gone already is not an error."""
    client.delete_item(TableName=table, Key=key.attributes())
