"""docs/recs.schema.json describes what every command prints with `-o json`."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from infra.paths import ROOT
from recommendation_cli.app import recs
from recommendation_cli.reviews.review import Review, ReviewKey, Verdict
from recommendation_shared.item.marks import Entry, State, mark_item, moved
from tests.support.fakes.dead_letter_queue import FakeSqs, body, run, text_attributes
from tests.support.fakes.recommendation_table import IndexedDynamoDb, item, runtime
from tests.support.fakes.reviewer import ReviewersAccount
from tests.support.fakes.reviews_table import FakeReviewsTable

SCHEMA: Final = json.loads((ROOT / "docs" / "recs.schema.json").read_text())
_COST: Final = {"estimatedCost": 0.5, "inputTokens": 10, "outputTokens": 2, "model": "m"}
_REPLAY: Final = {"status": "TIMEOUT", "durationMs": 5, "cost": _COST, "replayMetadata": {"replay_of": "execution-1"}}
_HELD: Final = moved(
    None, "incident-7", Entry(State.HELD, "arn:aws:iam::123456789012:user/ann", "2026-02-01T09:00:00.000000Z", "Legal")
)
TABLE: Final = [
    mark_item(_HELD),
    item("consensus", age=timedelta(hours=1)),
    item("knowledge-rag", age=timedelta(hours=1), citations=[{"title": "a"}], retention=None),
    item("consensus", execution_id="again", metadata=_REPLAY, confidence=0.5, recommendation={"now": [1, None]}),
]
_KEY: Final = ReviewKey("incident-7", "2026-02-01T09:00:00.000000Z/00")
_BY: Final = "arn:aws:iam::123456789012:user/ann"
REVIEWS: Final = [
    Review(_KEY, TABLE[2]["recommendationId"]["S"], Verdict.HELPFUL, "It was.", None, None, _BY),
    Review(_KEY._replace(review_id=f"{_KEY.review_id}1"), None, None, None, "A full disk", "A bigger one", _BY),
]
READING: Final = {
    "incident": ("incident-7",),
    "agent": ("consensus",),
    "execution": ("again",),
    "show": (TABLE[2]["recommendationId"]["S"],),
    "search": ("deploy",),
    "incidents": (),
    "holds": ("--all",),
    "stats": (),
    "reviews": ("incident-7",),
    "timeline": ("incident-7",),
    "diff": ("again",),
    "cost": ("--incidents", "10"),
}


def _commands_with_json(group: click.Group, *names: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands_with_json(command, *names, name)
        elif any(isinstance(option.type, click.Choice) and "json" in option.type.choices for option in command.params):
            yield " ".join((*names, name))


def _check(command: str, printed: str) -> Any:
    value = json.loads(printed)
    Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{command}"}).validate(value)
    return value


def test_the_schema_is_valid_and_has_every_command() -> None:
    """`follow` never ends, and prints lines."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"].keys() - {"document"} == set(_commands_with_json(recs)) - {"follow"}


@pytest.mark.parametrize("command", READING)
def test_what_a_reading_command_prints_is_as_described(command: str) -> None:
    """Nothing is empty, so that its entries are checked too."""
    args = [command, *READING[command], "-o", "json"]
    result = CliRunner().invoke(recs, args, obj=runtime(IndexedDynamoDb(TABLE, reviews=_reviews())))
    assert result.exit_code in {0, 1}, result.output
    assert _check(command, result.stdout)


@pytest.mark.parametrize("command", sorted(READING.keys() - {"cost", "diff"}))
def test_what_prints_an_array_prints_an_empty_one_where_nothing_is_found(command: str) -> None:
    """A program that reads it expects JSON, whatever the exit code."""
    ids = ("nothing", "nowhere") if command == "show" else READING[command]
    result = CliRunner().invoke(recs, [command, *ids, "-o", "json"], obj=runtime(IndexedDynamoDb([])))
    assert _check(command, result.stdout) == []


def test_what_a_review_prints_is_as_described() -> None:
    """It is the review that was written."""
    args = ["review", TABLE[2]["recommendationId"]["S"], "--verdict", "partly", "-o", "json"]
    result = CliRunner().invoke(recs, args, obj=ReviewersAccount(TABLE, reviews=_reviews()).runtime())
    assert _check("review", result.stdout)["verdict"] == "partly"


def test_documents_have_reviews_as_described() -> None:
    """Without one among them, their description would not be checked."""
    args = ["show", TABLE[2]["recommendationId"]["S"], "-o", "json"]
    result = CliRunner().invoke(recs, args, obj=runtime(IndexedDynamoDb(TABLE, reviews=_reviews())))
    assert len(_check("show", result.stdout)["reviews"]) == 2


def _reviews() -> FakeReviewsTable:
    return FakeReviewsTable(*(review.item() for review in REVIEWS))


@pytest.mark.parametrize("command", ["status", "peek"])
def test_what_a_dead_letter_command_prints_is_as_described(tmp_path: Path, command: str) -> None:
    """Poison without an envelope has no IDs."""
    sqs = FakeSqs()
    sqs.put(body(1))
    sqs.put("no JSON", text_attributes(failureReason="InvalidJson", failureDetail="body: must be JSON"))
    assert _check(f"dlq {command}", run(sqs, tmp_path, command, "-o", "json").stdout)
