from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.search.suggestions import most_similar
from tests.support.fakes.recommendation_table import COMPLETED, FakeDynamoDb, IndexedDynamoDb, item, runtime

OUTAGE = "incident-aws-s3-2017-02-28"


def _table() -> IndexedDynamoDb:
    table = [
        item(incident_id=OUTAGE, execution_id="exec-s3-1"),
        item("knowledge-rag", age=timedelta(seconds=3), incident_id=OUTAGE, execution_id="exec-s3-1"),
        item(age=timedelta(days=3), incident_id="incident-roblox-2021-10-28", execution_id="exec-roblox-1"),
        item("oracle", age=timedelta(days=3), incident_id="incident-without-consensus", execution_id="exec-odd"),
    ]
    return IndexedDynamoDb(table)


def _recs(client: FakeDynamoDb, *args: str) -> Result:
    return CliRunner().invoke(recs, args, obj=runtime(client))


@pytest.mark.parametrize(
    ("args", "suggestion"),
    [
        (
            ("incident", "incident-aws-s3-2017-02-82"),
            f"did you mean {OUTAGE}? (Searched the newest 100 of consensus.)",
        ),
        (("incident", "AWS-S3"), f"did you mean {OUTAGE}?"),
        (("timeline", "incident-roblox-2021"), "did you mean incident-roblox-2021-10-28?"),
        (("report", "incident-roblox", "-o", "unused.html"), "did you mean incident-roblox-2021-10-28?"),
        (("execution", "exec-s3-2"), "did you mean exec-s3-1?"),
        (("incident", "exec-s3-1"), "it is an execution, so try recs execution exec-s3-1"),
        (("execution", OUTAGE), f"it is an incident, so try recs incident {OUTAGE}"),
        (("incident", "consensus"), "it is an agent type, so try recs agent consensus"),
        (("incident", f"rec-{OUTAGE}-consensus-2026-01-31T12:00:00Z"), f"so try recs show rec-{OUTAGE}-consensus-2026"),
        (("show", OUTAGE), f"it is an incident, so try recs incident {OUTAGE}"),
        (("incident", "zebra"), "; there is nothing similar among the newest 100 of each agent type."),
    ],
)
def test_a_wrong_id_gets_a_suggestion(args: tuple[str, ...], suggestion: str) -> None:
    """It is part of the one-sentence error, and the exit code stays 1."""
    result = _recs(_table(), *args)
    assert result.exit_code == 1
    assert suggestion in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_wrong_execution_to_compare_gets_a_suggestion() -> None:
    """It exits with 2, because 1 would mean that the executions differ."""
    result = _recs(_table(), "diff", "exec-s3-1", "exec-roblox-2")
    assert result.exit_code == 2
    assert "did you mean exec-roblox-1" in result.stderr


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (f"rec-{OUTAGE}-consensus-2026-01-31T12:00:01Z", f"rec-{OUTAGE}-consensus-2026-01-31T12:00:00Z"),
        (f"rec-{OUTAGE}-knowlege-rag-2026-01-31T11:59:57Z", f"rec-{OUTAGE}-knowledge-rag-2026-01-31T11:59:57Z"),
        ("rec-incident-aws-s4-consensus-2026-01-31T12:00:00Z", f"rec-{OUTAGE}-consensus-2026-01-31T12:00:00Z"),
        (
            "rec-incident-without-consensus-oracle-2026-01-28T11:00:00Z",
            "rec-incident-without-consensus-oracle-2026-01-28T12:00:00Z",
        ),
        (f"rec-{OUTAGE}-consensus-2026-99-31T12:00:00Z", f"rec-{OUTAGE}-consensus-2026-01-31T12:00:00Z"),
        (f"rec-{OUTAGE}-consensus", f"rec-{OUTAGE}-consensus-2026-01-31T12:00:00Z"),
    ],
)
def test_a_wrong_recommendation_id_is_searched_for_by_its_parts(wrong: str, right: str) -> None:
    """Candidates are those of its incident, then those of its agent around that time."""
    result = _recs(_table(), "show", wrong)
    assert result.exit_code == 1
    assert f"did you mean {right}" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("incident", "zebra"),
        ("execution", "zebra"),
        ("show", "rec-zebra"),
        ("show", "rec-a-b-c-d-2026-01-31T12:00:00Z"),
    ],
)
def test_the_search_for_suggestions_is_bounded(args: tuple[str, ...]) -> None:
    """It takes at most a dozen index queries, each for one attribute of up to 100 entries."""
    client = _table()
    assert _recs(client, *args).exit_code == 1
    searches = [query for query in client.queries if "Limit" in query]
    assert 1 < len(searches) <= 12
    assert all(query["Limit"] <= 100 and query["IndexName"] for query in searches)
    assert len(client.queries) - len(searches) <= 2  # the list itself, and the register of agent types


def test_a_refused_search_for_suggestions_does_not_hide_that_nothing_was_found() -> None:
    """The exit code and the remedy stay the same."""

    class Denied(FakeDynamoDb):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            if "Limit" in parameters:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Query")
            return super().query(**parameters)

    result = _recs(Denied([]), "incident", "incident-8")
    assert result.exit_code == 1
    assert "check the ID, --table and --region" in result.stderr
    assert "(looking for similar IDs failed: ClientError)" in result.stderr


def test_control_characters_in_suggested_ids_are_escaped() -> None:
    """An agent may put anything into an ID."""
    client = IndexedDynamoDb([item(incident_id="incident-\u202e7", timestamp=COMPLETED)])
    assert r"did you mean incident-\u202e7?" in _recs(client, "incident", "incident-").stderr


def test_ids_that_contain_the_text_come_before_similar_ones() -> None:
    """At most three are suggested, each once, ignoring case."""
    assert most_similar("ROBLOX", ["roblix", "incident-roblox-1", "incident-roblox-1", "other"]) == (
        "incident-roblox-1",
        "roblix",
    )
    assert len(most_similar("incident", [f"incident-{number}" for number in range(9)])) == 3
    assert most_similar("a", ["bab"]) == ()
