import csv
import fcntl
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recommendation_cli.export.resumable_file import ResumableFile, part_path, state_path
from recommendation_cli.export.state import StateError
from recommendation_shared.item.agent_types import REGISTER
from tests.support.fakes.exports import export_pages, exported_lines, outage, run_export
from tests.support.fakes.recommendation_table import TABLE, FakeDynamoDb, item

KILLED = """
import os, signal, sys
from recommendation_cli.app import recs
from tests.support.fakes.recommendation_table import TABLE, FakeDynamoDb, items, runtime

class Killing(FakeDynamoDb):
    def query(self, **parameters):
        if len(self.queries) == 1 and parameters["TableName"] == TABLE:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().query(**parameters)

table = items(4)
recs(["export", "incident", "incident-7", sys.argv[1]], obj=runtime(Killing(table[:2], table[2:])))
"""


DAY = timedelta(days=1)


@pytest.mark.parametrize("args", [("--agent", "consensus"), ("--min-confidence", "0.80")])
def test_a_resumed_export_keeps_its_filters(args: tuple[str, ...], tmp_path: Path) -> None:
    """The state file holds them, like the period."""
    file = tmp_path / "i.jsonl"
    pages = [[item(), item("knowledge-rag", confidence=0.7)], [item("knowledge-rag", confidence=None), item(age=-DAY)]]
    assert run_export(FakeDynamoDb(pages[0], outage()), "incident", "incident-7", file, *args).exit_code == 3
    assert run_export(FakeDynamoDb(*pages), "resume", file).exit_code == 0
    assert file.read_bytes() == exported_lines([[item(), item(age=-DAY)]])


def test_csv_has_one_header(tmp_path: Path) -> None:
    """A resumed export does not repeat it."""
    whole, broken = tmp_path / "whole.csv", tmp_path / "broken.csv"
    assert run_export(FakeDynamoDb(*export_pages()), "incident", "incident-7", whole).exit_code == 0
    first, *others = export_pages()
    assert run_export(FakeDynamoDb(first, outage()), "incident", "incident-7", broken).exit_code == 3
    assert run_export(FakeDynamoDb(first, *others), "resume", broken).exit_code == 0
    assert broken.read_bytes() == whole.read_bytes()
    with whole.open(newline="") as stream:
        assert [row["agentType"] for row in csv.DictReader(stream)] == ["consensus"] * 5


@pytest.mark.parametrize("good_pages", [1, 2, 3])
def test_an_interrupted_export_resumes_where_it_stopped(good_pages: int, tmp_path: Path) -> None:
    """Pages that were read before the interruption are not read again."""
    file = tmp_path / "i.jsonl"
    all_pages = export_pages(4)
    failed = run_export(FakeDynamoDb(*all_pages[:good_pages], outage()), "incident", "incident-7", file)
    assert failed.exit_code == 3
    assert f"To resume: recs export resume {file}" in failed.stderr
    assert not file.exists()
    client = FakeDynamoDb(*all_pages)
    assert run_export(client, "resume", file).exit_code == 0
    assert file.read_bytes() == exported_lines(all_pages)
    assert len(client.queries) == 4 - good_pages
    assert [path.name for path in tmp_path.iterdir()] == ["i.jsonl"]


def test_a_period_resumes_in_the_search_that_was_interrupted(tmp_path: Path) -> None:
    """Searches that were finished are not run again."""

    class ByAgent(FakeDynamoDb):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            if parameters["TableName"] != TABLE:
                return super().query(**parameters)
            agent = parameters["ExpressionAttributeValues"][":key"]["S"]
            if agent == REGISTER:  # which is empty
                return {"Items": []}
            if len(self.queries) == self.failing:
                raise outage()
            self.queries.append(parameters)
            stored = [item(agent, age=timedelta(seconds=-number)) for number in range(2)]
            if "ExclusiveStartKey" in parameters:
                return {"Items": stored[1:]}
            return {"Items": stored[:1], "LastEvaluatedKey": {"page": 1}}

        failing = 1000

    whole = tmp_path / "whole.jsonl"
    run_export(ByAgent(), "period", whole)
    assert len(whole.read_bytes().splitlines()) == 14
    for failing in range(1, 14):
        file = tmp_path / f"{failing}.jsonl"
        client = ByAgent()
        client.failing = failing
        assert run_export(client, "period", file).exit_code == 3
        assert run_export(ByAgent(), "resume", file).exit_code == 0
        assert file.read_bytes() == whole.read_bytes()


def test_a_killed_export_can_be_resumed(tmp_path: Path) -> None:
    """SIGKILL leaves whole pages, and a state that counts them."""
    file = tmp_path / "i.jsonl"
    command = [sys.executable, "-c", KILLED, str(file)]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not file.exists()
    assert len(part_path(file).read_bytes().splitlines()) == 2
    table = [item(age=timedelta(seconds=number)) for number in range(4)]
    assert run_export(FakeDynamoDb(table[:2], table[2:]), "resume", file).exit_code == 0
    assert file.read_bytes() == exported_lines([table])


def test_bytes_that_no_state_counts_are_cut_off(tmp_path: Path) -> None:
    """The process may end between writing a page and writing its state."""
    file = tmp_path / "i.jsonl"
    first, second, third = export_pages()
    run_export(FakeDynamoDb(first, outage()), "incident", "incident-7", file)
    with part_path(file).open("ab") as stream:
        stream.write(b'{"half a li')
    assert run_export(FakeDynamoDb(first, second, third), "resume", file).exit_code == 0
    assert file.read_bytes() == exported_lines(export_pages())


def test_resuming_a_complete_export_only_says_so(tmp_path: Path) -> None:
    """The process may end between renaming the file and deleting the state."""
    file = tmp_path / "i.jsonl"
    file.write_bytes(b"all of it\n")
    state_path(file).write_text("{}")
    result = run_export(FakeDynamoDb(), "resume", file)
    assert (result.exit_code, file.read_bytes()) == (2, b"all of it\n")
    run_export(FakeDynamoDb([item()], outage()), "incident", "incident-7", tmp_path / "j.jsonl")
    part_path(tmp_path / "j.jsonl").rename(tmp_path / "j.jsonl")
    result = run_export(FakeDynamoDb(), "resume", tmp_path / "j.jsonl")
    assert (result.exit_code, "is complete" in result.stderr) == (0, True)
    assert not state_path(tmp_path / "j.jsonl").exists()


def test_two_processes_cannot_write_one_file(tmp_path: Path) -> None:
    """The second fails, and the first one's bytes stay."""
    file = tmp_path / "i.jsonl"
    with part_path(file).open("ab") as held:
        held.write(b"x")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        result = run_export(FakeDynamoDb([item()]), "incident", "incident-7", file, "--overwrite")
        assert (result.exit_code, "Another process" in result.stderr) == (2, True)
        assert part_path(file).read_bytes() == b"x"


def test_an_export_can_be_resumed_after_the_disk_was_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is one sentence."""
    file = tmp_path / "i.jsonl"
    append = ResumableFile.append

    def fill(self: ResumableFile, page: bytes, state: Any) -> None:
        if state.progress.documents > 2:
            raise OSError(28, "No space left on device")
        append(self, page, state)

    monkeypatch.setattr(ResumableFile, "append", fill)
    result = run_export(FakeDynamoDb(*export_pages()), "incident", "incident-7", file)
    monkeypatch.undo()
    assert result.exit_code == 5
    assert "cannot be written: No space left on device" in result.stderr
    assert run_export(FakeDynamoDb(*export_pages()), "resume", file).exit_code == 0
    assert file.read_bytes() == exported_lines(export_pages())


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"version": 3}', '{"version": 2, "plan": {}}'])
def test_a_state_of_another_version_or_kind_is_refused(state: str, tmp_path: Path) -> None:
    """The message says what to do."""
    file = tmp_path / "i.jsonl"
    state_path(file).write_text(state)
    part_path(file).touch()
    result = run_export(FakeDynamoDb(), "resume", file)
    assert result.exit_code == 2
    assert "start again with --overwrite" in result.stderr


def test_a_file_shorter_than_its_state_is_refused(tmp_path: Path) -> None:
    """Something else has changed it."""
    file = tmp_path / "i.jsonl"
    run_export(FakeDynamoDb([item()], outage()), "incident", "incident-7", file)
    part_path(file).write_bytes(b"short")
    with pytest.raises(StateError, match="is shorter than"):
        ResumableFile.resume(file)
    assert run_export(FakeDynamoDb(), "resume", tmp_path / "none.jsonl").exit_code == 2
