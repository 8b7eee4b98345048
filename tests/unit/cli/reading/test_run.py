import json
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from tests.support.fakes.recommendation_table import (
    TABLE,
    FakeDynamoDb,
    IndexedDynamoDb,
    item,
    items,
    recommendation_id,
    runtime,
)


def _run(client: FakeDynamoDb, *args: str) -> Result:
    return CliRunner().invoke(recs, args, obj=runtime(client))


@pytest.mark.parametrize(
    ("command", "value", "index"),
    [
        ("incident", "incident-7", "incidentId-timestamp-index"),
        ("agent", "consensus", "agentType-timestamp-index"),
        ("execution", "execution-1", "executionId-timestamp-index"),
    ],
)
def test_each_list_reads_its_index(command: str, value: str, index: str) -> None:
    """It prints what the index holds for the key."""
    client = FakeDynamoDb(items(2))
    result = _run(client, command, value)
    assert result.exit_code == 0
    assert result.stdout.count("The deploy came first.") == 2
    assert client.queries[0]["IndexName"] == index
    assert client.queries[0]["ExpressionAttributeValues"] == {":key": {"S": value}}
    assert client.queries[0]["TableName"] == TABLE


def test_a_list_ends_with_a_count_and_the_next_command() -> None:
    """They go to stderr, so that a pipe receives only the table."""
    table = [*items(3), item("old", age=timedelta(days=200))]
    result = _run(FakeDynamoDb(table), "incident", "incident-7")
    assert "3 recommendations, 1 expired hidden (--include-expired shows them)" in result.stderr
    assert f"recs show {recommendation_id(table[0])}" in result.stderr
    assert "expired" not in result.stdout


def test_a_limited_list_says_that_there_are_older_items() -> None:
    """Part of a list cannot be mistaken for all of it."""
    result = _run(FakeDynamoDb(items(3)), "incident", "incident-7", "--limit", "1")
    assert "1 recommendation, and there are older ones." in result.stderr
    assert result.stdout.count("The deploy came first.") == 1


def test_a_relative_period_counts_from_now() -> None:
    """`--since 24h` means the last 24 hours."""
    client = FakeDynamoDb(items(1))
    assert _run(client, "agent", "consensus", "--since", "24h", "--until", "2026-02-01").exit_code == 0
    assert client.queries[0]["ExpressionAttributeValues"] == {
        ":key": {"S": "consensus"},
        ":since": {"S": "2026-01-31T12:00:00.000000Z"},
        ":until": {"S": "2026-02-01T23:59:59.999999Z"},
    }


def _three() -> IndexedDynamoDb:
    table = [
        item(confidence=0.1),
        item("knowledge-rag", confidence=0.8),
        item("change-intelligence", confidence="high"),
    ]
    return IndexedDynamoDb(table)


@pytest.mark.parametrize(
    ("args", "agents"),
    [
        (("--agent", "consensus"), {"consensus"}),
        (("--agent", "consensus", "--agent", "knowledge-rag"), {"consensus", "knowledge-rag"}),
        (("--min-confidence", "0.1"), {"consensus", "knowledge-rag"}),  # as a double, 0.1 is more than 0.1
        (("--min-confidence", "0.2"), {"knowledge-rag"}),
        (("--min-confidence", "0"), {"consensus", "knowledge-rag"}),  # an unusable confidence never passes
        (("--min-confidence", "0.2", "--limit", "1"), {"knowledge-rag"}),
    ],
)
def test_lists_are_narrowed_to_agents_and_confidence(args: tuple[str, ...], agents: set[str]) -> None:
    """The limit counts what remains."""
    listed = _run(_three(), "incident", "incident-7", *args, "-o", "json")
    assert {document["agentType"] for document in json.loads(listed.stdout)} == agents
    timeline = _run(_three(), "timeline", "incident-7", *args, "-o", "json")
    assert {event["agentType"] for event in json.loads(timeline.stdout)} == agents


def test_a_narrowed_list_says_so() -> None:
    """A line above it states the filters, and the period in UTC."""
    args = ("incident", "incident-7", "--agent", "consensus", "--min-confidence", "0.1", "--since", "2026-01-31")
    result = _run(_three(), *args)
    assert result.stdout.startswith("Only agent consensus, confidence of at least 0.1; since 2026-01-31 00:00:00 UTC\n")
    assert "1 recommendation, 2 others left out." in result.stderr
    result = _run(_three(), "incident", "incident-7", "--agent", "consensus", "--agent", "knowledge-rag")
    assert "2 recommendations, 1 other left out." in result.stderr


def test_show_verifies_the_digest() -> None:
    """It prints the digest it computed."""
    stored = item()
    result = _run(FakeDynamoDb([stored]), "show", recommendation_id(stored))
    assert result.exit_code == 0
    assert f"verified, SHA-256 {stored['contentDigest']['S']}" in result.stdout


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv"])
def test_a_changed_item_is_shown_and_exits_with_4(output: str) -> None:
    """Every format shows the item, and stderr both digests."""
    stored = item()
    changed = {**stored, "confidence": {"N": "0.99"}}
    result = _run(FakeDynamoDb([changed]), "show", recommendation_id(stored), "-o", output)
    assert result.exit_code == 4
    assert "not what the consumer wrote: its contentDigest is " in result.stderr
    assert "0.99" in result.stdout


def test_an_item_without_a_digest_exits_with_4() -> None:
    """The consumer always writes one."""
    stored = item()
    del stored["contentDigest"]
    result = _run(FakeDynamoDb([stored]), "show", recommendation_id(stored))
    assert result.exit_code == 4
    assert "it has no contentDigest" in result.stderr


def test_show_prints_json_as_one_object() -> None:
    """It is not an array of one."""
    stored = item(confidence=0.1)
    document = json.loads(_run(FakeDynamoDb([stored]), "show", recommendation_id(stored), "-o", "json").stdout)
    assert (document["confidence"], document["incidentId"]) == (0.1, "incident-7")


def test_show_shows_an_expired_item_on_request() -> None:
    """DynamoDB has not deleted it yet."""
    expired = item(retention=1)
    assert _run(FakeDynamoDb([expired]), "show", recommendation_id(expired), "--include-expired").exit_code == 0
