"""What is said to somebody who names what is not there: what else may have been meant, without a Scan."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.search.near import similar
from tests.support.fakes.recommendation_table import COMPLETED, FakeDynamoDb, IndexedDynamoDb, item, runtime

OUTAGE = "incident-aws-s3-2017-02-28"


def _table() -> IndexedDynamoDb:
    made = [
        item(incident_id=OUTAGE, execution_id="exec-s3-1"),
        item("knowledge-rag", age=timedelta(seconds=3), incident_id=OUTAGE, execution_id="exec-s3-1"),
        item(age=timedelta(days=3), incident_id="incident-roblox-2021-10-28", execution_id="exec-roblox-1"),
        item("oracle", age=timedelta(days=3), incident_id="incident-without-consensus", execution_id="exec-odd"),
    ]
    return IndexedDynamoDb(made)


def _recs(client: FakeDynamoDb, *args: str) -> Result:
    return CliRunner().invoke(recs, args, obj=runtime(client))


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (
            ("incident", "incident-aws-s3-2017-02-82"),
            f"did you mean {OUTAGE}? (Looked at the newest 100 of consensus.)",
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
        (("incident", "zebra"), "; nothing similar is among the newest 100 of each usual agent type."),
    ],
)
def test_what_may_have_been_meant_is_named(args: tuple[str, ...], meant: str) -> None:
    """In the one sentence of the error, whose exit code stays 1."""
    result = _recs(_table(), *args)
    assert result.exit_code == 1
    assert meant in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_execution_that_cannot_be_compared_comes_with_what_was_meant() -> None:
    """As 2, since 1 would say that the executions differ."""
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
def test_a_recommendation_is_looked_for_by_the_parts_of_its_id(wrong: str, right: str) -> None:
    """Its incident's, else its agent's about that time."""
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
def test_looking_is_bounded(args: tuple[str, ...]) -> None:
    """A dozen short queries, each of an index, for one attribute of at most 100 entries."""
    client = _table()
    assert _recs(client, *args).exit_code == 1
    looked = [query for query in client.queries if "ProjectionExpression" in query]
    assert 1 < len(looked) <= 12
    assert all(query["Limit"] <= 100 and query["IndexName"] for query in looked)
    assert len(client.queries) - len(looked) <= 1


def test_who_may_not_look_elsewhere_still_learns_that_nothing_was_found() -> None:
    """The question that was asked has its answer."""

    class Denied(FakeDynamoDb):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            if "ProjectionExpression" in parameters:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Query")
            return super().query(**parameters)

    result = _recs(Denied([]), "incident", "incident-8")
    assert result.exit_code == 1
    assert "check the ID, --table and --region" in result.stderr
    assert "(similar IDs could not be looked for: ClientError)" in result.stderr


def test_hostile_ids_are_only_shown() -> None:
    """An agent's output may name what it likes."""
    client = IndexedDynamoDb([item(incident_id="incident-\u202e7", timestamp=COMPLETED)])
    assert r"did you mean incident-\u202e7?" in _recs(client, "incident", "incident-").stderr


def test_ids_that_hold_the_text_come_before_those_that_resemble_it() -> None:
    """Three at most, each once, whatever the case."""
    assert similar("ROBLOX", ["roblix", "incident-roblox-1", "incident-roblox-1", "other"]) == (
        "incident-roblox-1",
        "roblix",
    )
    assert len(similar("incident", [f"incident-{number}" for number in range(9)])) == 3
    assert similar("a", ["bab"]) == ()
