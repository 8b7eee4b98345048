import pytest

from recommendation_cli.aws.connection import Target
from recommendation_cli.reviews.beside import Reviewed, ReviewsBeside
from recommendation_cli.reviews.review import Review, ReviewKey, Verdict
from tests.support.fakes.reviews_table import REVIEWS_TABLE, FakeReviewsTable, refusal

TARGET = Target(REVIEWS_TABLE)


def _review(day: int, verdict: Verdict | None, recommendation: str | None = "rec-1") -> Review:
    key = ReviewKey("incident-7", f"2026-02-{day:02}T12:00:00.000000Z/00")
    return Review(key, recommendation, verdict, None, None, None, "arn:aws:sts::1:alice")


FIRST, SECOND = _review(1, Verdict.WRONG), _review(2, Verdict.HELPFUL)
OTHER, CAUSE = _review(3, Verdict.HARMFUL, "rec-2"), _review(4, None, None)


def test_the_latest_review_counts_and_the_others_are_its_history() -> None:
    """Whatever the order in which they were read."""
    reviewed = Reviewed([SECOND, OTHER, FIRST, CAUSE])
    assert reviewed.of("incident-7", "rec-1") == SECOND
    assert reviewed.history("incident-7", "rec-1") == [FIRST, SECOND]
    assert reviewed.of("incident-7") == CAUSE
    assert reviewed.of("incident-7", "rec-3") is None
    assert reviewed.counting() == [SECOND, OTHER, CAUSE]


def test_the_reviews_of_an_incident_are_read_once() -> None:
    """A list of many recommendations of an incident costs one query."""
    client = FakeReviewsTable(FIRST.item(), CAUSE.item())
    beside = ReviewsBeside(client, TARGET, now=None)
    assert beside.of_incident("incident-7") is beside.of_incident("incident-7")
    assert len(client.queries) == 1
    assert beside.note == ""


def _page(day: int) -> list[dict[str, str]]:
    """Return a page of documents of more incidents than are asked for one by one."""
    return [
        {
            "incidentId": f"incident-{number}",
            "recommendationId": "rec-1",
            "timestamp": f"2026-02-{day:02}T12:00:00.000000Z",
        }
        for number in range(11)
    ]


@pytest.mark.parametrize("days", [(2, 1), (1, 2)], ids=["newest first", "oldest first"])
def test_the_reviews_of_many_incidents_are_read_by_time(days: tuple[int, int]) -> None:
    """Each is read once, whatever the order of the pages; there is no query for each incident."""
    client = FakeReviewsTable(*(review.item() for review in (FIRST, SECOND, OTHER)), page=100)
    beside = ReviewsBeside(client, TARGET, now=None)
    for day in days:
        reviewed = beside.of_documents(_page(day))
        assert reviewed.of("incident-7", "rec-1") == SECOND
    assert reviewed.history("incident-7", "rec-1") == [FIRST, SECOND]
    assert len(client.queries) == (3 if days == (2, 1) else 2)


def test_an_incident_that_was_reviewed_before_a_replay_keeps_its_root_cause() -> None:
    """The replay's recommendations are newer than the review of their incident."""
    beside = ReviewsBeside(FakeReviewsTable(CAUSE.item()), TARGET, now=None)
    assert beside.of_documents(_page(20)).of("incident-7") == CAUSE


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("ResourceNotFoundException", "there is no table opx-recommendation-reviews"),
        ("AccessDeniedException", "RecommendationReaderRole"),
        ("ThrottlingException", "failed (ThrottlingException)"),
    ],
)
def test_a_table_that_cannot_be_read_has_no_reviews_and_is_asked_once(code: str, sentence: str) -> None:
    """What else the command shows does not depend on it; one note says why reviews are missing."""
    client = FakeReviewsTable(FIRST.item(), error=refusal(code))
    beside = ReviewsBeside(client, TARGET, now=None)
    assert beside.of_incident("incident-7").counting() == []
    assert beside.of_incident("incident-8").counting() == []
    assert beside.of_documents([{"incidentId": "incident-9"}]).counting() == []
    assert len(client.queries) == 1
    assert sentence in beside.note


def test_reviews_that_only_a_later_version_can_read_are_mentioned() -> None:
    """Nobody takes what is shown for everything."""
    odd = {**SECOND.item(), "verdict": {"S": "splendid"}}
    beside = ReviewsBeside(FakeReviewsTable(FIRST.item(), odd), TARGET, now=None)
    assert beside.of_incident("incident-7").of("incident-7", "rec-1") == FIRST
    assert beside.note.startswith("1 review left out")
