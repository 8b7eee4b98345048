from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from recommendation_cli.aws.connection import NotDynamoDbError
from recommendation_cli.reviews.review import Review, ReviewKey, Verdict
from recommendation_cli.reviews.store import ReviewTable, delete_review, put_review
from tests.support.fakes.reviews_table import REVIEWS_TABLE, FakeReviewsTable


def _review(day: int, incident: str = "incident-7") -> Review:
    key = ReviewKey(incident, f"2026-02-{day:02}T12:00:00.000000Z/00")
    return Review(key, "rec-1", Verdict.HELPFUL, None, None, None, "arn:aws:sts::1:alice")


REVIEWS = [_review(day) for day in (1, 2, 3)]
OTHER = _review(2, "incident-8")


def _table(*reviews: Review) -> FakeReviewsTable:
    return FakeReviewsTable(*(review.item() for review in reviews))


def test_the_reviews_of_an_incident_are_read_in_order_of_time_to_the_end() -> None:
    """They are read with strong consistency: a review that was just written counts."""
    client = _table(*reversed(REVIEWS), OTHER)
    assert ReviewTable(client, REVIEWS_TABLE).reviews_of("incident-7") == REVIEWS
    assert [query["ConsistentRead"] for query in client.queries] == [True, True]


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        (None, None, [1, 2, 2, 3]),
        ("2026-02-02T12:00:00.000000Z", None, [2, 2, 3]),
        (None, "2026-02-02T12:00:00.000000Z", [1, 2, 2]),
        ("2026-02-02T12:00:00.000001Z", "2026-02-03T11:59:59.999999Z", []),
    ],
)
def test_the_reviews_of_a_period_are_those_of_all_incidents(
    since: str | None, until: str | None, days: list[int]
) -> None:
    """Both bounds are inclusive; one query of the index finds them, without a Scan."""
    client = _table(*REVIEWS, OTHER)
    found = ReviewTable(client, REVIEWS_TABLE).reviews_between(since, until)
    assert [int(review.at[8:10]) for review in found] == days
    assert {query["IndexName"] for query in client.queries} == {"kind-reviewId-index"}


def test_what_a_later_version_wrote_is_left_out_and_counted() -> None:
    """Nothing else is lost because of it; its key is still listed, so that an erasure deletes it."""
    odd = {**_review(4).item(), "verdict": {"S": "splendid"}}
    client = FakeReviewsTable(*(review.item() for review in REVIEWS), odd)
    table = ReviewTable(client, REVIEWS_TABLE)
    assert table.reviews_of("incident-7") == REVIEWS
    assert table.unreadable == 1
    assert table.keys_of("incident-7") == [*(review.key for review in REVIEWS), _review(4).key]


def test_what_has_expired_is_hidden_before_dynamodb_deletes_it() -> None:
    """That takes up to a few days; an erasure deletes it at once."""
    expired = replace(_review(4), expires_at=1_769_947_200)
    client = _table(*REVIEWS, expired)
    assert ReviewTable(client, REVIEWS_TABLE, now=1_769_947_200).reviews_of("incident-7") == REVIEWS
    assert ReviewTable(client, REVIEWS_TABLE).reviews_of("incident-7") == [*REVIEWS, expired]
    assert expired.key in ReviewTable(client, REVIEWS_TABLE, now=1_769_947_200).keys_of("incident-7")


def test_a_new_review_replaces_none() -> None:
    """A second one under the same ID is refused, whatever it says."""
    client = _table()
    put_review(client, REVIEWS_TABLE, REVIEWS[0])
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        put_review(client, REVIEWS_TABLE, replace(REVIEWS[0], verdict=Verdict.WRONG))
    assert ReviewTable(client, REVIEWS_TABLE).reviews_of("incident-7") == [REVIEWS[0]]


def test_a_call_that_botocore_repeats_after_a_lost_answer_succeeds() -> None:
    """The review was stored by the first attempt, so the condition fails on it."""
    client = _table(REVIEWS[0])
    put_review(client, REVIEWS_TABLE, REVIEWS[0])
    assert ReviewTable(client, REVIEWS_TABLE).reviews_of("incident-7") == [REVIEWS[0]]


def test_deleting_a_review_twice_is_no_error() -> None:
    """An erasure that was interrupted goes on."""
    client = _table(*REVIEWS)
    for _ in range(2):
        delete_review(client, REVIEWS_TABLE, REVIEWS[1].key)
    assert ReviewTable(client, REVIEWS_TABLE).reviews_of("incident-7") == [REVIEWS[0], REVIEWS[2]]


def test_an_answer_that_is_not_dynamodbs_is_an_error() -> None:
    """An empty answer would look like an incident without reviews."""

    class Other(FakeReviewsTable):
        def query(self, **_parameters: Any) -> dict[str, Any]:
            return {}

    with pytest.raises(NotDynamoDbError):
        ReviewTable(Other(), REVIEWS_TABLE).reviews_of("incident-7")
