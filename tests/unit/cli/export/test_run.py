import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from recommendation_cli.app import recs
from tests.support.fakes.exports import export_pages, exported_lines, outage, run_export
from tests.support.fakes.recommendation_table import FakeDynamoDb, IndexedDynamoDb, item, runtime


def test_documents_are_written_in_full_oldest_first(tmp_path: Path) -> None:
    """Expired ones are left out and counted."""
    client = FakeDynamoDb(*export_pages())
    file = tmp_path / "i.jsonl"
    result = run_export(client, "incident", "incident-7", file)
    assert result.exit_code == 0
    assert file.read_bytes() == exported_lines(export_pages())
    assert "5 recommendations, " in result.stderr
    assert f", 1 expired left out, in {file}. Check it: recs export verify {file}" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["i.jsonl"]
    assert client.queries[0]["ScanIndexForward"] is True
    assert client.queries[0]["IndexName"] == "incidentId-timestamp-index"


@pytest.mark.parametrize(("command", "value"), [("agent", "consensus"), ("execution", "execution-1")])
def test_each_command_reads_its_index(command: str, value: str, tmp_path: Path) -> None:
    """It reads only the given period."""
    client = FakeDynamoDb(*export_pages())
    assert run_export(client, command, value, tmp_path / "x.jsonl", "--since", "24h").exit_code == 0
    values = client.queries[0]["ExpressionAttributeValues"]
    assert values == {":key": {"S": value}, ":since": {"S": "2026-01-31T12:00:00.000000Z"}}


def test_a_period_is_read_agent_by_agent(tmp_path: Path) -> None:
    """No index is by time alone, so it reads the usual agents or those named, and says which."""
    client = FakeDynamoDb([item()])
    result = run_export(client, "period", tmp_path / "p.jsonl")
    assert len(client.queries) == 8  # with the register of agent types
    assert "Agent types read: signal-intelligence, " in result.stderr
    client = FakeDynamoDb([item()])
    result = run_export(client, "period", tmp_path / "q.jsonl", "--agent", "own", "--agent", "consensus")
    agents = [query["ExpressionAttributeValues"][":key"]["S"] for query in client.queries]
    assert agents == ["own", "consensus"]
    assert "Agent types read: own, consensus." in result.stderr


def test_an_export_that_finds_nothing_explains_why(tmp_path: Path) -> None:
    """It suggests similar IDs, or says what a filter left out."""
    client = IndexedDynamoDb([item()])
    assert "did you mean incident-7?" in run_export(client, "incident", "incident-77", tmp_path / "x.jsonl").stderr
    nothing = run_export(client, "incident", "incident-7", tmp_path / "x.jsonl", "--agent", "oracle")
    assert "matches agent oracle; those found are from consensus (1)" in nothing.stderr
    nothing = run_export(client, "period", tmp_path / "x.jsonl", "--min-confidence", "1")
    assert "1 other left out by confidence of at least 1" in nothing.stderr
    expired = IndexedDynamoDb([item("expired", age=timedelta(days=2), retention=1)])
    nothing = run_export(expired, "period", tmp_path / "x.jsonl", "--agent", "expired", "--agent", "consensus")
    assert "1 has expired; --include-expired exports expired items too." in nothing.stderr
    assert list(tmp_path.iterdir()) == []


def test_standard_output_gets_only_the_documents(tmp_path: Path) -> None:
    """They are JSON Lines unless --format says otherwise."""
    result = run_export(FakeDynamoDb(*export_pages()), "incident", "incident-7", "-")
    assert result.stdout.encode() == exported_lines(export_pages())
    assert run_export(FakeDynamoDb([item()]), "incident", "incident-7", "-", "--format", "csv").stdout.startswith(
        "schemaVersion,"
    )
    assert run_export(FakeDynamoDb([]), "incident", "incident-7", "-").exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_replaced_without_overwrite(tmp_path: Path) -> None:
    """Files and interrupted exports are both protected."""
    file = tmp_path / "i.jsonl"
    file.write_text("mine")
    refused = run_export(FakeDynamoDb([item()]), "incident", "incident-7", file)
    assert (refused.exit_code, file.read_text()) == (2, "mine")
    assert run_export(FakeDynamoDb([item()]), "incident", "incident-7", file, "--overwrite").exit_code == 0
    assert file.read_bytes() == exported_lines([[item()]])
    other = tmp_path / "j.jsonl"
    run_export(FakeDynamoDb([item()], outage()), "incident", "incident-7", other)
    refused = run_export(FakeDynamoDb([item()]), "incident", "incident-7", other)
    assert "resume it with recs export resume" in refused.stderr
    assert run_export(FakeDynamoDb([item()]), "incident", "incident-7", other, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("pages", "code"), [(([],), 1), (([item(retention=1)],), 1), ((outage(),), 3), (([], outage()), 3)]
)
def test_an_export_of_nothing_leaves_no_file(pages: Any, code: int, tmp_path: Path) -> None:
    """An empty file would look like an answer."""
    result = run_export(FakeDynamoDb(*pages), "incident", "incident-7", tmp_path / "i.jsonl")
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
    result = run_export(client, "incident", "incident-7", tmp_path / name)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert client.queries == []


def test_what_is_not_a_file_is_never_replaced(tmp_path: Path) -> None:
    """Not even with --overwrite, as /dev/stdout could be meant."""
    pipe = tmp_path / "x.jsonl"
    os.mkfifo(pipe)
    result = run_export(FakeDynamoDb([item()]), "incident", "incident-7", pipe, "--overwrite")
    assert (result.exit_code, "Not a regular file" in result.stderr) == (2, True)
    assert (list(tmp_path.iterdir()), pipe.is_fifo()) == ([pipe], True)


def test_a_symlink_stays_and_the_file_it_leads_to_is_written(tmp_path: Path) -> None:
    """An interrupted export is resumed through the link too."""
    link, file = tmp_path / "link.jsonl", tmp_path / "file.jsonl"
    link.symlink_to(file.name)
    pages = export_pages()
    run_export(FakeDynamoDb(*pages[:1], outage()), "incident", "incident-7", link)
    assert run_export(FakeDynamoDb(*pages), "resume", link).exit_code == 0
    assert (link.is_symlink(), file.read_bytes()) == (True, exported_lines(pages))


def test_options_may_stand_before_the_group(tmp_path: Path) -> None:
    """`recs --table T export …` reads from T."""
    client = FakeDynamoDb([item()])
    args = ["--table", "other", "export", "incident", "incident-7", str(tmp_path / "x.jsonl")]
    assert CliRunner().invoke(recs, args, obj=runtime(client)).exit_code == 0
    assert client.queries[0]["TableName"] == "other"
