import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.reviews.review import Review, ReviewKey, Verdict
from recommendation_shared.envelope.identity import sort_key
from tests.support.fakes.recommendation_table import COMPLETED, IndexedDynamoDb, Item, item, recommendation_id, runtime
from tests.support.fakes.reviews_table import FakeReviewsTable, refusal

_RAG = "knowledge-rag"
_MINORITY = {"minority_opinions": [{"agent_id": _RAG}]}


def _said(execution: int, confidence: float | None, *, days: float = 0, agent: str = _RAG, **metadata: Any) -> Item:
    """Return what an agent said in an execution, `days` before the others."""
    return item(
        agent,
        age=timedelta(days=days, minutes=execution),
        execution_id=f"execution-{execution}",
        confidence=confidence,
        metadata={"status": "SUCCESS", "agentVersion": "1.2", "model": "large", **metadata},
    )


def _consensus(execution: int, *minority: str) -> Item:
    said = {"minority_opinions": [{"agent_id": agent} for agent in minority]}
    return item(age=timedelta(minutes=execution), execution_id=f"execution-{execution}", recommendation=said)


def _review(about: Item, verdict: Verdict, hours: int = 1) -> Item:
    """Return a review that was written so many hours after the recommendations."""
    identity = recommendation_id(about)
    key = ReviewKey("incident-7", f"{sort_key(COMPLETED + timedelta(hours=hours))}/{identity}")
    return Review(key, identity, verdict, None, None, None, "arn:aws:sts::1:alice").item()


def _run(table: list[Item], reviews: FakeReviewsTable, *args: str) -> Result:
    result = CliRunner().invoke(recs, ["stats", *args], obj=runtime(IndexedDynamoDb(table, reviews=reviews)))
    assert result.exit_code == 0, result.output
    return result


def _records(table: list[Item], *reviews: Item) -> dict[tuple[Any, ...], dict[str, Any]]:
    printed = _run(table, FakeReviewsTable(*reviews), "-o", "json").stdout
    return {
        tuple(record[name] for name in ("agentType", "agentVersion", "model")): record for record in json.loads(printed)
    }


def test_verdicts_are_added_up_for_each_agent_version_and_model() -> None:
    """A verdict counts for the period in which the recommendation was made, whenever it was reviewed."""
    table = [_said(0, 0.9), _said(1, 0.9), _said(2, 0.6, agentVersion="1.1"), _said(3, 0.5), _said(4, 0.8, days=40)]
    verdicts = (Verdict.HELPFUL, Verdict.WRONG, Verdict.PARTLY, Verdict.NOT_FOLLOWED, Verdict.HELPFUL)
    records = _records(table, *map(_review, table, verdicts))
    agent = records[_RAG, None, None]
    assert (agent["count"], agent["reviewed"], agent["previousReviewed"], agent["previousHelpfulShare"]) == (4, 4, 1, 1)
    assert agent["verdicts"] == {"helpful": 1, "partly": 1, "wrong": 1, "harmful": 0, "not-followed": 1}
    assert agent["helpfulShare"] == 0.5
    assert agent["brier"] == pytest.approx(((0.9 - 1) ** 2 + 0.9**2 + 0.1**2) / 3, abs=1e-6)
    assert (records[_RAG, "1.1", "large"]["reviewed"], records[_RAG, "1.1", "large"]["helpfulShare"]) == (1, 0.5)
    assert records[None, None, None]["verdicts"] == agent["verdicts"]


def test_what_was_said_with_one_confidence_is_compared_with_what_helped() -> None:
    """With a count, Wilson's interval, and no conclusion from a few."""
    table = [_said(number, 0.85) for number in range(12)] + [_said(20, 0.4), _said(21, None)]
    verdicts = [Verdict.HELPFUL] * 6 + [Verdict.WRONG] * 6 + [Verdict.HELPFUL] * 2
    agent = _records(table, *map(_review, table, verdicts))[_RAG, None, None]
    few, many = agent["calibrationBins"]
    assert (few["from"], few["to"], few["count"], few["calibration"]) == (0.4, 0.5, 1, "too few")
    assert many == {
        "from": 0.8,
        "to": 0.9,
        "count": 12,
        "confidence": 0.85,
        "helpful": 6,
        "share": 0.5,
        "low": 0.253782,
        "high": 0.746218,
        "calibration": "overconfident",
    }
    assert agent["calibration"] == "overconfident"


def test_a_later_verdict_supersedes_an_earlier_one() -> None:
    """The one that counts is counted once."""
    table = [_said(0, 0.9)]
    reviews = (_review(table[0], Verdict.HELPFUL, hours=1), _review(table[0], Verdict.WRONG, hours=2))
    assert _records(table, *reviews)[_RAG, None, None]["verdicts"]["wrong"] == 1
    assert _records(table, *reviews)[_RAG, None, None]["reviewed"] == 1


def test_who_disagreed_with_the_consensus_and_was_right_is_named() -> None:
    """Only where people judged both; an agent that agreed is not counted."""
    table = [
        *(_said(execution, 0.6) for execution in range(4)),
        *(_consensus(execution, _RAG) for execution in range(3)),
        _consensus(3),
    ]
    verdicts = (Verdict.HELPFUL, Verdict.WRONG, Verdict.HELPFUL, Verdict.HELPFUL)
    conclusions = (Verdict.WRONG, Verdict.HELPFUL, Verdict.NOT_FOLLOWED, Verdict.WRONG)
    reviews = list(map(_review, table, (*verdicts, *conclusions)))
    agent = _records(table, *reviews)[_RAG, None, None]
    assert (agent["dissents"], agent["dissentsRight"], agent["dissentsWrong"]) == (2, 1, 1)
    assert agent["rightAgainstConsensus"] == [recommendation_id(table[0])]
    printed = _run(table, FakeReviewsTable(*reviews)).stdout
    assert "  knowledge-rag: right in 1 of 2, wrong in 1\n" in printed
    assert recommendation_id(table[0]) in printed


@pytest.mark.parametrize("columns", [80, 100, 150])
def test_the_table_shows_calibration_only_where_somebody_reviewed(columns: int) -> None:
    """Nothing of it is cut off."""
    table = [_said(number, 0.85, agent="signal-intelligence") for number in range(12)] + [_said(20, 0.4)]
    reviews = [_review(about, Verdict.WRONG) for about in table]
    client = IndexedDynamoDb(table, reviews=FakeReviewsTable(*reviews))
    printed = CliRunner().invoke(recs, ["stats"], obj=runtime(client, {"COLUMNS": str(columns)})).stdout
    assert "13 of 13 recommendations reviewed: 13 wrong." in printed
    assert "0.8-0.9      12     0.00  0.00-0.24   0.72  overconfident" in printed
    assert "too few" in printed
    assert "…" not in printed
    assert "95 %" not in _run(table, FakeReviewsTable()).stdout


def test_csv_has_the_same_columns() -> None:
    """Nested values are JSON."""
    table = [_said(0, 0.9)]
    printed = _run(table, FakeReviewsTable(_review(table[0], Verdict.HELPFUL)), "-o", "csv").stdout
    row = next(csv.DictReader(io.StringIO(printed)))
    assert (row["reviewed"], row["helpfulShare"], json.loads(row["verdicts"])["helpful"]) == ("1", "1", 1)


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_where_reviews_cannot_be_read_nothing_is_said_about_them(code: str) -> None:
    """An older stack has no such table: the rest is as before, and nothing is taken for 'nobody reviewed'."""
    result = _run([_said(0, 0.9)], FakeReviewsTable(error=refusal(code)), "-o", "json")
    for record in json.loads(result.stdout):
        assert record["count"] == 1
        assert {record[name] for name in ("reviewed", "verdicts", "calibrationBins", "dissents")} == {None}
    assert result.stderr.startswith("Reviews are not shown: ")
    assert result.stderr.count("\n") == 1


def test_a_verdict_counts_for_the_recommendation_of_its_own_incident_only() -> None:
    """As in lists and datasets: another program may have written a review under the key of another incident."""
    said = _said(0, 0.9)
    foreign = {**_review(said, Verdict.HARMFUL), "incidentId": {"S": "incident-666"}}
    assert _records([said], foreign)[None, None, None]["reviewed"] == 0


def test_the_latest_consensus_of_an_execution_says_who_disagreed() -> None:
    """An executor may have reached one again, which is newer and so is read first."""
    first = item(age=timedelta(minutes=2), execution_id="execution-0", recommendation=_MINORITY)
    again = item(age=timedelta(minutes=1), execution_id="execution-0", recommendation={"minority_opinions": []})
    for table in ([again, first], [first, again]):
        assert _records([_said(0, 0.9), *table])[_RAG, None, None]["agreement"] == 1


def test_a_period_without_room_for_one_before_it_is_a_usage_error() -> None:
    """The period before would begin before the first year that there is."""
    client = IndexedDynamoDb([])
    result = CliRunner().invoke(recs, ["stats", "--since", "1000-01-01"], obj=runtime(client))
    assert result.exit_code == 2
    assert "--since is too early" in result.stderr
