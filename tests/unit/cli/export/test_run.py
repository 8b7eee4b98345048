from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.output import json_line
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import FakeDynamoDb, IndexedDynamoDb, Item, item, runtime


def _recs(client: FakeDynamoDb, *args: str | Path) -> Result:
    return CliRunner().invoke(recs, ["export", *map(str, args)], obj=runtime(client))


def _pages(count: int = 3) -> list[list[Item]]:
    """Return pages of two items, oldest first; one of the items has expired."""
    table = [item(age=timedelta(seconds=-number), reasoning=f"Number {number}.") for number in range(2 * count)]
    table[1] = item("expired", age=timedelta(days=2), retention=1)
    return [table[start : start + 2] for start in range(0, len(table), 2)]


def _lines(pages: Sequence[Sequence[Item]]) -> bytes:
    return b"".join(json_line(decode_item(stored)) for page in pages for stored in page if "expired" not in str(stored))


def _outage() -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "Query")


def test_documents_are_written_in_full_oldest_first(tmp_path: Path) -> None:
    """Expired ones are left out and counted."""
    client = FakeDynamoDb(*_pages())
    file = tmp_path / "i.jsonl"
    result = _recs(client, "incident", "incident-7", file)
    assert result.exit_code == 0
    assert file.read_bytes() == _lines(_pages())
    assert "5 recommendations, " in result.stderr
    assert f", 1 expired left out, in {file}. Check it: recs export verify {file}" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["i.jsonl"]
    assert client.queries[0]["ScanIndexForward"] is True
    assert client.queries[0]["IndexName"] == "incidentId-timestamp-index"


@pytest.mark.parametrize(("command", "value"), [("agent", "consensus"), ("execution", "execution-1")])
def test_each_command_reads_its_index(command: str, value: str, tmp_path: Path) -> None:
    """It reads only the given period."""
    client = FakeDynamoDb(*_pages())
    assert _recs(client, command, value, tmp_path / "x.jsonl", "--since", "24h").exit_code == 0
    values = client.queries[0]["ExpressionAttributeValues"]
    assert values == {":key": {"S": value}, ":since": {"S": "2026-01-31T12:00:00.000000Z"}}


def test_a_period_is_read_agent_by_agent(tmp_path: Path) -> None:
    """No index is by time alone, so it reads the usual agents or those named, and says which."""
    client = FakeDynamoDb([item()])
    result = _recs(client, "period", tmp_path / "p.jsonl")
    assert len(client.queries) == 7
    assert "Agent types read: signal-intelligence, " in result.stderr
    client = FakeDynamoDb([item()])
    result = _recs(client, "period", tmp_path / "q.jsonl", "--agent", "own", "--agent", "consensus")
    agents = [query["ExpressionAttributeValues"][":key"]["S"] for query in client.queries]
    assert agents == ["own", "consensus"]
    assert "Agent types read: own, consensus." in result.stderr


def test_an_export_that_finds_nothing_explains_why(tmp_path: Path) -> None:
    """It suggests similar IDs, or says what a filter left out."""
    client = IndexedDynamoDb([item()])
    assert "did you mean incident-7?" in _recs(client, "incident", "incident-77", tmp_path / "x.jsonl").stderr
    nothing = _recs(client, "incident", "incident-7", tmp_path / "x.jsonl", "--agent", "oracle")
    assert "matches agent oracle; those found are from consensus (1)" in nothing.stderr
    nothing = _recs(client, "period", tmp_path / "x.jsonl", "--min-confidence", "1")
    assert "1 is below --min-confidence" in nothing.stderr
    expired = IndexedDynamoDb([item("expired", age=timedelta(days=2), retention=1)])
    nothing = _recs(expired, "period", tmp_path / "x.jsonl", "--agent", "expired", "--agent", "consensus")
    assert "1 has expired; --include-expired exports expired items too." in nothing.stderr
    assert list(tmp_path.iterdir()) == []


def test_standard_output_gets_only_the_documents(tmp_path: Path) -> None:
    """They are JSON Lines unless --format says otherwise."""
    result = _recs(FakeDynamoDb(*_pages()), "incident", "incident-7", "-")
    assert result.stdout.encode() == _lines(_pages())
    assert _recs(FakeDynamoDb([item()]), "incident", "incident-7", "-", "--format", "csv").stdout.startswith(
        "schemaVersion,"
    )
    assert _recs(FakeDynamoDb([]), "incident", "incident-7", "-").exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_replaced_without_overwrite(tmp_path: Path) -> None:
    """Files and interrupted exports are both protected."""
    file = tmp_path / "i.jsonl"
    file.write_text("mine")
    refused = _recs(FakeDynamoDb([item()]), "incident", "incident-7", file)
    assert (refused.exit_code, file.read_text()) == (2, "mine")
    assert _recs(FakeDynamoDb([item()]), "incident", "incident-7", file, "--overwrite").exit_code == 0
    assert file.read_bytes() == _lines([[item()]])
    other = tmp_path / "j.jsonl"
    _recs(FakeDynamoDb([item()], _outage()), "incident", "incident-7", other)
    refused = _recs(FakeDynamoDb([item()]), "incident", "incident-7", other)
    assert "resume it with recs export resume" in refused.stderr
    assert _recs(FakeDynamoDb([item()]), "incident", "incident-7", other, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("pages", "code"), [(([],), 1), (([item(retention=1)],), 1), ((_outage(),), 3), (([], _outage()), 3)]
)
def test_an_export_of_nothing_leaves_no_file(pages: Any, code: int, tmp_path: Path) -> None:
    """An empty file would look like an answer."""
    result = _recs(FakeDynamoDb(*pages), "incident", "incident-7", tmp_path / "i.jsonl")
    assert result.exit_code == code
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("x.txt", "Cannot tell the format from the name"),
        ("missing/x.jsonl", "cannot be written: No such file"),
    ],
)
def test_an_impossible_file_is_a_usage_error(name: str, sentence: str, tmp_path: Path) -> None:
    """Nothing is read."""
    client = FakeDynamoDb([item()])
    result = _recs(client, "incident", "incident-7", tmp_path / name)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert client.queries == []


def test_options_may_stand_before_the_group(tmp_path: Path) -> None:
    """`recs --table T export …` reads from T."""
    client = FakeDynamoDb([item()])
    args = ["--table", "other", "export", "incident", "incident-7", str(tmp_path / "x.jsonl")]
    assert CliRunner().invoke(recs, args, obj=runtime(client)).exit_code == 0
    assert client.queries[0]["TableName"] == "other"
