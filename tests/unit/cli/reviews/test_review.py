from dataclasses import replace

import pytest

from recommendation_cli.reviews.review import (
    Review,
    ReviewKey,
    Subject,
    UnreadableReviewError,
    Verdict,
    latest,
    review_expiry,
    review_id,
    review_of,
)

KEY = ReviewKey("incident-7", "2026-02-01T12:00:00.000000Z/00ff00ff00ff00ff")
VERDICT = Review(KEY, "rec-1", Verdict.PARTLY, "It named the wrong host.", None, None, "arn:aws:sts::1:alice")
CAUSE = Review(KEY, None, None, None, "A bad deploy", "Rolling it back", "arn:aws:sts::1:bob", expires_at=1_800_000_000)


@pytest.mark.parametrize("review", [VERDICT, CAUSE], ids=["of a recommendation", "of an incident"])
def test_the_item_of_a_review_holds_all_of_it(review: Review) -> None:
    """What is read is what was written."""
    assert review_of(review.item()) == review


def test_the_item_has_attributes_only_for_what_was_said() -> None:
    """The form of the item is fixed: other programs read it too."""
    assert VERDICT.item() == {
        "incidentId": {"S": "incident-7"},
        "reviewId": {"S": "2026-02-01T12:00:00.000000Z/00ff00ff00ff00ff"},
        "kind": {"S": "recommendation"},
        "schemaVersion": {"N": "1"},
        "by": {"S": "arn:aws:sts::1:alice"},
        "recommendationId": {"S": "rec-1"},
        "verdict": {"S": "partly"},
        "note": {"S": "It named the wrong host."},
    }
    assert CAUSE.item()["ttl"] == {"N": "1800000000"}


def test_the_record_has_every_field() -> None:
    """Programs that read JSON find null where nothing was said."""
    assert CAUSE.record() == {
        "incidentId": "incident-7",
        "reviewId": "2026-02-01T12:00:00.000000Z/00ff00ff00ff00ff",
        "recommendationId": None,
        "verdict": None,
        "note": None,
        "rootCause": "A bad deploy",
        "resolvedBy": "Rolling it back",
        "by": "arn:aws:sts::1:bob",
        "at": "2026-02-01T12:00:00.000000Z",
        "schemaVersion": 1,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": {"S": "splendid"}},
        {"verdict": {}},
        {"by": {}},
        {"schemaVersion": {"N": "one"}},
        {"reviewId": {"N": "1"}},
        {"reviewId": {"S": "yesterday/1"}},
        {"recommendationId": {"NULL": True}},
        {"note": {"N": "5"}},
        {"kind": {"S": "incident"}},
        {"kind": {}},
        {"reviewId": {"S": "2026-02-01T12:00:00Z/1"}},
        {"reviewId": {"S": "2026-02-01T14:00:00.000000+02:00/1"}},
    ],
    ids=[
        *("unknown verdict", "no verdict", "nobody", "no version", "wrong type", "no time"),
        *("about nothing", "note of another type", "other kind", "no kind", "short time", "offset"),
    ],
)
def test_an_item_of_another_form_is_unreadable(change: dict[str, dict[str, str]]) -> None:
    """It is never taken for a review that says something else."""
    with pytest.raises(UnreadableReviewError):
        review_of({**VERDICT.item(), **change})


def test_fields_of_a_later_version_are_ignored() -> None:
    """A later version may add attributes."""
    later = {**VERDICT.item(), "severity": {"S": "high"}, "schemaVersion": {"N": "2"}}
    assert review_of(later).schema_version == 2


def test_an_id_is_the_time_and_a_random_part() -> None:
    """IDs sort by time, and two reviews of one microsecond differ."""
    assert review_id(1_769_947_200.25, [], "ab") == "2026-02-01T12:00:00.250000Z/ab"


def test_a_new_review_is_later_than_those_of_a_clock_that_was_ahead() -> None:
    """Otherwise the new one would be superseded when it is written."""
    assert review_id(0, [VERDICT, CAUSE], "ab") == "2026-02-01T12:00:00.000001Z/ab"


def test_a_review_can_follow_one_of_the_last_microsecond_there_is() -> None:
    """A wrong clock, or somebody with a program of their own, must not end the reviews of an incident."""
    last = replace(VERDICT, key=ReviewKey("incident-7", "9999-12-31T23:59:59.999999Z/ff"))
    identity = review_id(0, [last, CAUSE], "00")
    assert identity > last.key.review_id
    assert review_of(replace(last, key=ReviewKey("incident-7", identity)).item()).at == last.at
    assert review_expiry(identity, 365) == 253_402_300_799 + 365 * 86_400


def test_a_review_expires_by_its_own_time() -> None:
    """The same review has the same ttl whenever it is computed."""
    assert review_expiry(KEY.review_id, 1) == 1_769_947_200 + 86_400
    assert review_expiry(KEY.review_id, None) is None


def test_the_latest_review_of_each_subject_counts() -> None:
    """Whatever the order in which they are read; the incident's own supersedes none of a recommendation."""
    later = ReviewKey("incident-7", "2026-02-01T12:00:00.000001Z/00")
    changed = Review(later, "rec-1", Verdict.HELPFUL, None, None, None, "arn:aws:sts::1:bob")
    expected = {Subject("incident-7", "rec-1"): changed, Subject("incident-7", None): CAUSE}
    assert latest([VERDICT, changed, CAUSE]) == latest([CAUSE, changed, VERDICT]) == expected
