import json

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.reviews.review import Review, review_of
from tests.support.fakes.recommendation_table import item, recommendation_id
from tests.support.fakes.reviewer import ALICE, ReviewersAccount
from tests.support.fakes.reviews_table import FakeReviewsTable, refusal

CONSENSUS = item()
ID = recommendation_id(CONSENSUS)


def _run(account: ReviewersAccount, *args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(recs, ["review", *args], obj=account.runtime(), input=stdin)


def _written(account: ReviewersAccount) -> list[Review]:
    return [review_of(stored) for _, stored in sorted(account.reviews.items.items())]


def test_a_review_is_signed_with_the_callers_arn_and_the_time() -> None:
    """Neither is an option: nobody writes in another's name by mistake."""
    account = ReviewersAccount([CONSENSUS])
    result = _run(account, ID, "--verdict", "helpful", "--note", "It worked.")
    assert result.exit_code == 0, result.stderr
    (review,) = _written(account)
    assert (review.incident_id, review.recommendation_id, review.verdict) == ("incident-7", ID, "helpful")
    assert (review.by, review.at, review.note) == (ALICE, "2026-02-01T12:00:00.000000Z", "It worked.")
    assert review.expires_at is None
    assert "in table opx-recommendation-reviews" in result.stderr


def test_a_later_review_supersedes_and_overwrites_none() -> None:
    """Also when both are written within a microsecond."""
    account = ReviewersAccount([CONSENSUS])
    _run(account, ID, "--verdict", "helpful")
    result = _run(account, ID, "--verdict", "wrong")
    assert [review.verdict for review in _written(account)] == ["helpful", "wrong"]
    assert "supersedes the review by assumed-role/RecommendationReviewerRole/alice" in result.stderr


def test_a_recommendation_that_does_not_exist_is_answered_with_one_that_does() -> None:
    """Nothing is written about it."""
    account = ReviewersAccount([CONSENSUS])
    result = _run(account, ID.replace("12:00:00", "12:00:01"), "--verdict", "helpful")
    assert result.exit_code == 1
    assert f"did you mean {ID}?" in result.stderr
    assert not account.reviews.items


def test_what_is_no_recommendation_cannot_be_reviewed() -> None:
    """The table also holds the register of agent types and the marks of incidents."""
    mark = {"recommendationId": {"S": "incident-mark/1"}, "incidentId": {"S": "incident-7"}}
    account = ReviewersAccount([mark | {"agentType": {"S": "_incident-marks"}, "timestamp": {"S": "t"}}])
    assert _run(account, "incident-mark/1", "--verdict", "helpful").exit_code == 1
    assert not account.reviews.items


def test_of_an_incident_what_is_not_said_again_stays() -> None:
    """Whoever adds what resolved it does not take back the root cause; an empty text does."""
    account = ReviewersAccount([CONSENSUS])
    _run(account, "--incident", "incident-7", "--root-cause", "A full disk")
    _run(account, "--incident", "incident-7", "--resolved-by", "A bigger disk")
    _run(account, "--incident", "incident-7", "--root-cause", "", "--note", "-", stdin="Not the disk.\n")
    said = [(review.root_cause, review.resolved_by, review.note) for review in _written(account)]
    assert said == [
        ("A full disk", None, None),
        ("A full disk", "A bigger disk", None),
        (None, "A bigger disk", "Not the disk."),
    ]
    assert {review.recommendation_id for review in _written(account)} == {None}


def test_an_incident_must_exist_or_have_been_reviewed() -> None:
    """Its root cause may be known only after its recommendations have expired."""
    account = ReviewersAccount([CONSENSUS])
    result = _run(account, "--incident", "incident-8", "--root-cause", "x")
    assert result.exit_code == 1
    assert "did you mean incident-7?" in result.stderr
    _run(account, "--incident", "incident-7", "--root-cause", "x")
    expired = ReviewersAccount([], reviews=account.reviews)
    assert _run(expired, "--incident", "incident-7", "--root-cause", "y").exit_code == 0
    assert [review.root_cause for review in _written(account)] == ["x", "y"]


def test_reviews_expire_when_the_stack_says() -> None:
    """Its parameter is published under the suffix of the table."""
    account = ReviewersAccount([CONSENSUS], retention="10")
    _run(account, ID, "--verdict", "helpful", "--table", "opx-agent-recommendations-dev")
    (review,) = _written(account)
    assert review.expires_at == 1_769_947_200 + 10 * 86_400
    assert account.parameters == ["/opx-recommendations-dev/review-retention-days"]


@pytest.mark.parametrize("retention", ["0", None], ids=["no end", "older stack"])
def test_reviews_are_kept_by_default(retention: str | None) -> None:
    """They are few, small, and what later years learn from."""
    account = ReviewersAccount([CONSENSUS], retention=retention)
    _run(account, ID, "--verdict", "helpful")
    assert _written(account)[0].expires_at is None


@pytest.mark.parametrize(
    ("retention", "sentence"),
    [(refusal("AccessDeniedException"), "RecommendationReviewerRole"), ("soon", "must be a number of days")],
)
def test_a_retention_that_is_not_known_stops_the_review(retention: Exception | str, sentence: str) -> None:
    """Otherwise the review would stay for longer than the owner of the stack decided."""
    account = ReviewersAccount([CONSENSUS], retention=retention)
    result = _run(account, ID, "--verdict", "helpful")
    assert result.exit_code == 3
    assert sentence in result.stderr
    assert not account.reviews.items


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("AccessDeniedException", "use an identity that may assume RecommendationReviewerRole"),
        ("ResourceNotFoundException", "deploy the stack again, which creates it"),
    ],
)
def test_a_refused_review_says_what_it_takes(code: str, sentence: str) -> None:
    """Unlike commands that read, this one cannot go on without the table."""
    account = ReviewersAccount([CONSENSUS], reviews=FakeReviewsTable(error=refusal(code)))
    result = _run(account, ID, "--verdict", "helpful")
    assert result.exit_code == 3
    assert sentence in result.stderr


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ((), "Name a recommendation"),
        ((ID, "--incident", "incident-7", "--verdict", "wrong"), "but not both"),
        ((ID,), "--verdict helpful|partly|wrong|harmful|not-followed"),
        ((ID, "--verdict", "splendid"), "'splendid' is not one of"),
        ((ID, "--verdict", "wrong", "--root-cause", "x"), "are for --incident"),
        (("--incident", "incident-7", "--verdict", "wrong"), "not for an incident"),
        (("--incident", "incident-7"), "Say something"),
        ((ID, "--verdict", "wrong", "--note", "x" * 9000), "at most 8,192 bytes of UTF-8, and is 9,000"),
        ((ID, "--verdict", "wrong", "--note", "\udcff"), "must be UTF-8"),
    ],
)
def test_mistakes_are_usage_errors(args: tuple[str, ...], sentence: str) -> None:
    """Nothing is asked of AWS."""
    account = ReviewersAccount([CONSENSUS])
    result = _run(account, *args)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not account.queries


def test_the_new_review_can_be_read_by_programs() -> None:
    """Standard output has the record and nothing else."""
    result = _run(ReviewersAccount([CONSENSUS]), ID, "--verdict", "partly", "-o", "json")
    assert json.loads(result.stdout)["verdict"] == "partly"
    lines = _run(ReviewersAccount([CONSENSUS]), ID, "--verdict", "partly", "-o", "jsonl").stdout.splitlines()
    assert [json.loads(line)["by"] for line in lines] == [ALICE]


def test_control_characters_in_a_review_never_reach_the_terminal() -> None:
    """A note may have line breaks, and nothing that moves the cursor."""
    account = ReviewersAccount([CONSENSUS])
    result = _run(account, ID, "--verdict", "wrong", "--note", "a\x1b[2Jb\nc")
    assert "\x1b" not in result.stderr
    assert "a\\x1b[2Jb\nc" in result.stderr
    assert _written(account)[0].note == "a\x1b[2Jb\nc"


def test_no_incidents_name_reorders_the_terminal() -> None:
    """The command that is suggested afterwards is untrusted too."""
    stored = item(incident_id="incident-\u202e7")
    result = _run(ReviewersAccount([stored]), recommendation_id(stored), "--verdict", "wrong")
    assert result.stderr.splitlines()[-1] == "The history: recs reviews 'incident-\\u202e7'"


@pytest.mark.parametrize(
    ("args", "stdin", "sentence"),
    [
        (("--note", "-", "--root-cause", "-"), "minutes", "is the text of another option already"),
        (("--root-cause", "-"), " \n", "standard input has none"),
    ],
)
def test_standard_input_takes_nothing_back_unseen(args: tuple[str, ...], stdin: str, sentence: str) -> None:
    """An empty text does, so one that a failed command piped must not."""
    account = ReviewersAccount([CONSENSUS])
    _run(account, "--incident", "incident-7", "--root-cause", "A full disk")
    result = _run(account, "--incident", "incident-7", *args, stdin=stdin)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert len(_written(account)) == 1


def test_only_what_was_said_can_be_taken_back() -> None:
    """An incident that nobody reviewed gets no review that says nothing."""
    account = ReviewersAccount([CONSENSUS])
    take_back = ("--incident", "incident-7", "--root-cause", "")
    assert _run(account, *take_back).exit_code == 2
    _run(account, "--incident", "incident-7", "--root-cause", "A full disk")
    assert ":\n  nothing\nIt supersedes" in _run(account, *take_back).stderr
    assert _run(account, *take_back).exit_code == 2
    assert [review.root_cause for review in _written(account)] == ["A full disk", None]
