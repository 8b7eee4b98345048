"""Reviews on engines: the table as the template defines it, and `recs review` as a process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.synthesis.synthesize import synthesize
from recommendation_cli.reviews.review import Review, ReviewKey, Verdict
from recommendation_cli.reviews.store import ReviewTable, delete_review, put_review
from recommendation_shared.settings import reviews_table_of
from tests.support.fakes.recommendation_table import create_table, item, put, recommendation_id

TABLE: Final = "opx-agent-recommendations-reviewing"
REVIEWS: Final = reviews_table_of(TABLE)
RETENTION: Final = "/opx-recommendations-reviewing/review-retention-days"
COMPLETED: Final = datetime.now(UTC) - timedelta(days=1)


def _create_reviews_table(client: Any) -> None:
    """Create the table with the keys, index and billing mode that the template gives it."""
    properties = synthesize()["Resources"]["ReviewsTable"]["Properties"]
    parts = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    client.create_table(TableName=REVIEWS, **{name: properties[name] for name in parts})


@pytest.fixture(scope="module", params=["moto_server", "dynalite"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of an engine that has an empty table of reviews."""
    created = boto3.client("dynamodb", endpoint_url=request.getfixturevalue(request.param))
    _create_reviews_table(created)
    yield created
    created.delete_table(TableName=REVIEWS)
    created.close()


def _review(second: int, incident: str, note: str = "") -> Review:
    key = ReviewKey(incident, f"2026-02-01T00:00:{second:02}.000000Z/00ff")
    return Review(
        key, "rec-1", Verdict.NOT_FOLLOWED, note, None, None, "arn:aws:sts::1:assumed-role/R/é", 4_102_444_800
    )


def test_an_engine_returns_the_reviews_that_were_stored(client: Any) -> None:
    """Over several pages, by incident and by time, in order; and never another one under an ID that is taken."""
    table = ReviewTable(client, REVIEWS)
    long = [_review(second, "incident-long", "x" * 200_000) for second in (3, 1, 8, 5, 2, 9, 7, 4)]
    other = _review(6, "incident-other")
    for review in (*long, other):
        put_review(client, REVIEWS, review)
    in_order = sorted(long, key=lambda review: review.key)
    assert table.reviews_of("incident-long") == in_order
    assert table.reviews_of("incident-other") == [other]
    assert table.keys_of("incident-long") == [review.key for review in in_order]
    found = table.reviews_between("2026-02-01T00:00:03.000000Z", "2026-02-01T00:00:07.000000Z")
    assert [review.at[17:19] for review in found] == ["03", "04", "05", "06", "07"]
    assert len(list(table.reviews_between(None, None))) == 9
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        put_review(client, REVIEWS, replace(other, verdict=Verdict.HELPFUL))
    put_review(client, REVIEWS, other)  # as botocore repeats a call
    for key in (*table.keys_of("incident-long"), other.key, other.key):
        delete_review(client, REVIEWS, key)
    assert list(table.reviews_between(None, None)) == []


@pytest.fixture
def environ(moto_server: str) -> Iterator[dict[str, str]]:
    """The environment of `recs` for a table with one recommendation, and the stack's other parts."""
    dynamodb, ssm = (boto3.client(service, endpoint_url=moto_server) for service in ("dynamodb", "ssm"))
    create_table(dynamodb, TABLE)
    _create_reviews_table(dynamodb)
    put(dynamodb, TABLE, [item(timestamp=COMPLETED)])
    ssm.put_parameter(Name=RETENTION, Value="365", Type="String")
    yield {**os.environ, "AWS_ENDPOINT_URL": moto_server, "RECOMMENDATIONS_TABLE": TABLE, "TERM": "xterm"}
    ssm.delete_parameter(Name=RETENTION)
    for table in (TABLE, REVIEWS):
        dynamodb.delete_table(TableName=table)
    for created in (dynamodb, ssm):
        created.close()


def _recs(environ: dict[str, str], *args: str) -> str:
    command = [sys.executable, "-m", "recommendation_cli", *args]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_review_is_written_shown_added_up_and_exported_by_the_real_command(
    environ: dict[str, str], moto_server: str
) -> None:
    """Its author is who STS says, and its ttl what the stack's parameter says."""
    identity = recommendation_id(item(timestamp=COMPLETED))
    written = json.loads(_recs(environ, "review", identity, "--verdict", "helpful", "-o", "json"))
    assert ":sts::" in written["by"] or ":iam::" in written["by"]
    _recs(environ, "review", "--incident", "incident-7", "--root-cause", "A full disk")
    listed = [json.loads(line) for line in _recs(environ, "reviews", "incident-7", "-o", "jsonl").splitlines()]
    assert [review["rootCause"] for review in listed] == ["A full disk", None]
    assert _recs(environ, "incident", "incident-7").startswith("Root cause: A full disk\n")
    assert json.loads(_recs(environ, "stats", "-o", "json"))[0]["helpfulShare"] == 1
    example = json.loads(_recs(environ, "export", "period", "-", "--dataset"))
    assert (example["verdict"], example["rootCause"]) == ("helpful", "A full disk")
    stored = boto3.client("dynamodb", endpoint_url=moto_server)
    key = {"incidentId": {"S": "incident-7"}, "reviewId": {"S": written["reviewId"]}}
    ttl = int(stored.get_item(TableName=REVIEWS, Key=key)["Item"]["ttl"]["N"])
    stored.close()
    assert ttl == int(datetime.fromisoformat(written["at"]).timestamp()) + 365 * 86_400
