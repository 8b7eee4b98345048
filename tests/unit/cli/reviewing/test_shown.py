"""Reviews where recommendations are read: lists, timelines, reports, exports and single recommendations."""

import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet  # type: ignore[import-untyped]  # pyarrow ships no types

from recommendation_cli.app import recs
from recommendation_cli.reviews.review import Review, ReviewKey, Verdict
from tests.support.fakes.exports import export_pages, outage
from tests.support.fakes.recommendation_table import FakeDynamoDb, IndexedDynamoDb, item, recommendation_id, runtime
from tests.support.fakes.reviews_table import FakeReviewsTable, refusal

CONSENSUS, RISK = item(), item("risk-blast-radius", age=timedelta(seconds=9))
ID = recommendation_id(CONSENSUS)
BOB = "arn:aws:iam::1:user/bob"


def _review(day: int, verdict: Verdict | None, *, note: str | None = None, cause: str | None = None) -> Review:
    key = ReviewKey("incident-7", f"2026-02-{day:02}T09:00:00.000000Z/00")
    return Review(key, None if verdict is None else ID, verdict, note, cause, None, BOB)


REVIEWS = (
    _review(1, Verdict.WRONG, note="Too late."),
    _review(2, None, cause="A full disk"),
    _review(3, Verdict.HELPFUL, note="<b>In the end.</b>"),
)


def _client(*reviews: Review, error: Exception | None = None) -> IndexedDynamoDb:
    table = FakeReviewsTable(*(review.item() for review in reviews), error=error)
    return IndexedDynamoDb([CONSENSUS, RISK], reviews=table)


def _run(*args: str, client: FakeDynamoDb | None = None) -> Result:
    return CliRunner().invoke(recs, args, obj=runtime(client or _client(*REVIEWS)))


@pytest.mark.parametrize(
    "args",
    [("incident", "incident-7"), ("execution", "execution-1"), ("agent", "consensus"), ("timeline", "incident-7")],
)
def test_lists_show_the_verdict_that_counts_beside_the_status(args: tuple[str, ...]) -> None:
    """Only of the recommendation that it is about, and not the verdict that was superseded."""
    result = _run(*args)
    assert result.stdout.count("success (helpful)") == 1
    assert "wrong" not in result.stdout


@pytest.mark.parametrize("command", ["incident", "timeline"])
def test_an_incident_begins_with_its_root_cause(command: str) -> None:
    """It is what a reader wants to know first, and says who wrote it."""
    lines = _run(command, "incident-7").stdout.splitlines()
    assert lines[:2] == ["Root cause: A full disk", "(user/bob, 2026-02-02 09:00 UTC)"]


@pytest.mark.parametrize("command", ["incident", "timeline", "report"])
def test_what_was_taken_back_is_signed_by_nobody(command: str) -> None:
    """The latest review says nothing, so there is nothing to show of it."""
    client = _client(REVIEWS[0], REVIEWS[1], _review(4, None))
    printed = _run(command, "incident-7", *(("-o", "-") if command == "report" else ()), client=client).stdout
    assert "deploy came first" in printed
    assert "2026-02-04 09:00" not in printed


def test_a_recommendation_in_full_has_its_history() -> None:
    """The review that counts comes first."""
    shown = _run("show", ID).stdout.partition("\nreviews\n")[2].partition("\nrecommendation\n")[0]
    assert shown.strip().splitlines() == [
        "helpful  user/bob, 2026-02-03 09:00 UTC",
        "<b>In the end.</b>",
        "superseded: wrong  user/bob, 2026-02-01 09:00 UTC",
        "Too late.",
    ]
    assert "reviews" not in _run("show", ID, client=_client()).stdout


@pytest.mark.parametrize("args", [("incident", "incident-7"), ("agent", "consensus"), ("show", ID)])
def test_json_has_reviews_beside_what_they_are_about(args: tuple[str, ...]) -> None:
    """Those of the recommendation and of its incident, in order of time; the last of each counts."""
    document = json.loads(_run(*args, "-o", "jsonl").stdout.splitlines()[0])
    said = [(review["recommendationId"], review["verdict"], review["rootCause"]) for review in document["reviews"]]
    assert said == [(ID, "wrong", None), (None, None, "A full disk"), (ID, "helpful", None)]
    assert "reviews" not in json.loads(_run(*args, "-o", "jsonl", client=_client()).stdout.splitlines()[0])


def test_a_timeline_has_the_verdict_as_a_field() -> None:
    """It is null where nobody reviewed."""
    events = json.loads(_run("timeline", "incident-7", "-o", "json").stdout)
    assert [event["verdict"] for event in events] == [None, "helpful"]


def test_csv_has_columns_for_the_reviews_that_count() -> None:
    """A superseded one is only in JSON."""
    row = next(csv.DictReader(_run("incident", "incident-7", "-o", "csv").stdout.splitlines()))
    assert (row["verdict"], row["reviewNote"]) == ("helpful", "<b>In the end.</b>")
    assert (row["reviewedBy"], row["reviewedAt"]) == (BOB, "2026-02-03T09:00:00.000000Z")
    assert (row["rootCause"], row["resolvedBy"], row["otherFields"]) == ("A full disk", "", "")


def test_the_report_says_what_people_said_and_escapes_it(tmp_path: Path) -> None:
    """The root cause stands above what the agents suspected."""
    page = tmp_path / "page.html"
    assert _run("report", "incident-7", "-o", str(page)).exit_code == 0
    html = page.read_text()
    assert "A full disk" in html.partition("suspected cause")[0]
    assert "superseding 1 review" in html
    assert "&lt;b&gt;In the end.&lt;/b&gt;" in html
    assert "does not match its digest" not in html


def test_an_export_with_reviews_can_be_verified(tmp_path: Path) -> None:
    """Reviews stand beside the document, which no digest covers; Parquet has columns for them, as CSV has."""
    lines, rows = tmp_path / "i.jsonl", tmp_path / "i.parquet"
    for file in (lines, rows):
        assert _run("export", "incident", "incident-7", str(file)).exit_code == 0
        checked = _run("export", "verify", str(file))
        assert checked.exit_code == 0, checked.output
    assert b"Too late." in lines.read_bytes()
    assert parquet.read_table(rows).column("verdict").to_pylist() == [None, "wrong"]


def test_what_is_changed_in_an_export_with_reviews_is_still_found(tmp_path: Path) -> None:
    """Reviews are no place to hide a change of the document."""
    file = tmp_path / "i.jsonl"
    _run("export", "incident", "incident-7", str(file))
    file.write_bytes(file.read_bytes().replace(b"The deploy came first", b"The deploy came later"))
    assert _run("export", "verify", str(file)).exit_code == 4


def test_a_resumed_export_has_the_reviews_of_its_start(tmp_path: Path) -> None:
    """What is written meanwhile would be beside some documents and not beside others."""
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    first, *others = export_pages()
    early, late = _review(1, None, cause="Early"), _review(2, None, cause="Late")
    start = FakeReviewsTable(early.item())
    _run("export", "incident", "incident-7", str(whole), client=FakeDynamoDb(first, *others, reviews=start))
    failed = _run("export", "incident", "incident-7", str(broken), client=FakeDynamoDb(first, outage(), reviews=start))
    assert failed.exit_code == 3
    later = FakeDynamoDb(first, *others, reviews=FakeReviewsTable(early.item(), late.item()))
    assert _run("export", "resume", str(broken), client=later).exit_code == 0
    assert broken.read_bytes() == whole.read_bytes()
    assert b"Early" in whole.read_bytes()


def test_an_export_never_has_reviews_beside_one_half_of_it(tmp_path: Path) -> None:
    """It stops, and can be resumed when they can be read again."""
    file = tmp_path / "i.jsonl"
    first, *others = export_pages()
    reviews = FakeReviewsTable(_review(1, None, cause="Early").item())
    _run("export", "incident", "incident-7", str(file), client=FakeDynamoDb(first, outage(), reviews=reviews))
    refused = FakeDynamoDb(first, *others, reviews=FakeReviewsTable(error=refusal("AccessDeniedException")))
    result = _run("export", "resume", str(file), client=refused)
    assert result.exit_code == 3
    assert "run it again, or resume it, when they can be read" in result.stderr
    assert not file.exists()


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_an_export_without_a_table_of_reviews_is_complete(code: str) -> None:
    """There are none that it could miss, or none for this reader."""
    export = ("export", "incident", "incident-7", "-")
    result = _run(*export, client=_client(error=refusal(code)))
    assert (result.exit_code, result.stdout) == (0, _run(*export, client=_client()).stdout)
    assert result.stderr.count("Reviews are not shown") == 1


def test_an_export_is_not_completed_without_reviews_that_exist(tmp_path: Path) -> None:
    """Unlike a list, it is kept: what a busy moment left out would be missing for good."""
    file = tmp_path / "i.jsonl"
    throttled = FakeReviewsTable(error=refusal("ThrottlingException"))
    result = _run("export", "incident", "incident-7", str(file), client=FakeDynamoDb([CONSENSUS], reviews=throttled))
    assert result.exit_code == 3
    assert "failed (ThrottlingException)" in result.stderr
    assert not file.exists()


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException", "InternalServerError"])
@pytest.mark.parametrize(
    "args",
    [
        ("incident", "incident-7"),
        ("incident", "incident-7", "-o", "json"),
        ("timeline", "incident-7"),
        ("show", ID),
        ("report", "incident-7", "-o", "-"),
    ],
    ids=lambda args: args[0],
)
def test_without_reviews_everything_else_is_shown(args: tuple[str, ...], code: str) -> None:
    """An older stack has no such table, and a reader may not be allowed to read it: one line says so."""
    result = _run(*args, client=_client(error=refusal(code)))
    assert result.exit_code == 0
    assert result.stdout == _run(*args, client=_client()).stdout
    assert result.stderr.count("Reviews are not shown") == 1
