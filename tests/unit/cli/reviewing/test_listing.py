import csv
import json

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.reviews.review import Review, ReviewKey, Verdict
from tests.support.fakes.recommendation_table import FakeDynamoDb, runtime
from tests.support.fakes.reviews_table import FakeReviewsTable, Item, refusal


def _review(at: str, incident: str, recommendation: str | None, verdict: Verdict | None, note: str | None) -> Review:
    cause = "A full disk" if recommendation is None else None
    key = ReviewKey(incident, f"2026-01-{at}T12:00:00.000000Z/00")
    return Review(key, recommendation, verdict, note, cause, None, "arn:aws:iam::1:user/bob")


REVIEWS = [
    _review("20", "incident-7", "rec-1", Verdict.WRONG, "Not the cache."),
    _review("28", "incident-7", "rec-1", Verdict.HELPFUL, None),
    _review("29", "incident-7", None, None, None),
    _review("30", "incident-8", "rec-2", Verdict.HARMFUL, "=cmd()"),
]


def _run(*args: str, error: Exception | None = None, extra: tuple[Item, ...] = ()) -> Result:
    table = FakeReviewsTable(*(review.item() for review in REVIEWS), *extra, error=error)
    return CliRunner().invoke(recs, ["reviews", *args], obj=runtime(FakeDynamoDb(reviews=table)))


def _listed(*args: str) -> list[str]:
    return [json.loads(line)["at"][8:10] for line in _run(*args, "-o", "jsonl").stdout.splitlines()]


@pytest.mark.parametrize(
    ("args", "days"),
    [
        ((), ["30", "29", "28", "20"]),
        (("incident-7",), ["29", "28", "20"]),
        (("--since", "2026-01-28", "--until", "2026-01-29"), ["29", "28"]),
        (("incident-7", "--until", "2026-01-25"), ["20"]),
        (("--current",), ["30", "29", "28"]),
        (("--until", "2026-01-25", "--current"), []),
    ],
)
def test_reviews_are_listed_newest_first_with_their_history(args: tuple[str, ...], days: list[str]) -> None:
    """What a later review supersedes is left out on request, also if the later one is not in the period."""
    assert _listed(*args) == days


def test_a_list_shows_what_was_said_and_what_is_superseded() -> None:
    """The list is readable without colours."""
    lines = _run("incident-7").stdout.splitlines()
    assert any("helpful" in line and "rec-1" in line and "user/bob" in line for line in lines)
    assert any("wrong (superseded)" in line and "note: Not the cache." in line for line in lines)
    assert any("incident incident-7" in line and "root cause: A full disk" in line for line in lines)


def test_csv_has_a_column_for_each_field() -> None:
    """No cell can act as a formula."""
    rows = list(csv.DictReader(_run("-o", "csv").stdout.splitlines()))
    assert rows[0]["note"].startswith("'=")
    assert [row["superseded"] for row in rows] == ["false", "false", "false", "true"]


def test_without_reviews_the_exit_code_says_so() -> None:
    """The message names the table that was searched."""
    result = _run("incident-9")
    assert result.exit_code == 1
    assert "of incident incident-9 in table opx-recommendation-reviews" in result.stderr
    assert "in that period" not in result.stderr
    assert " in that period: " in _run("--since", "2026-02-01").stderr


def test_what_only_a_later_version_can_read_is_mentioned() -> None:
    """Nobody takes the list for everything."""
    odd = {**REVIEWS[0].item(), "reviewId": {"S": "2026-01-31T12:00:00.000000Z/0"}, "verdict": {"S": "splendid"}}
    assert "1 review left out" in _run("incident-7", extra=(odd,)).stderr


@pytest.mark.parametrize(
    ("code", "sentence"),
    [("AccessDeniedException", "RecommendationReaderRole"), ("ResourceNotFoundException", "deploy the stack again")],
)
def test_a_table_that_cannot_be_read_is_an_error(code: str, sentence: str) -> None:
    """There is nothing else to show."""
    result = _run(error=refusal(code))
    assert result.exit_code == 3
    assert sentence in result.stderr
