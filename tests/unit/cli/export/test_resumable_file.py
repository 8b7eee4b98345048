import csv
import fcntl
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.export.resumable_file import ResumableFile, part_path, state_path
from recommendation_cli.export.state import StateError
from recommendation_cli.output import json_line
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import FakeDynamoDb, Item, item, runtime

KILLED = """
import os, signal, sys
from recommendation_cli.app import recs
from tests.support.fakes.recommendation_table import FakeDynamoDb, items, runtime

class Killing(FakeDynamoDb):
    def query(self, **parameters):
        if len(self.queries) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().query(**parameters)

table = items(4)
recs(["export", "incident", "incident-7", sys.argv[1]], obj=runtime(Killing(table[:2], table[2:])))
"""


DAY = timedelta(days=1)


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


@pytest.mark.parametrize("args", [("--agent", "consensus"), ("--min-confidence", "0.80")])
def test_a_resumed_export_keeps_its_filters(args: tuple[str, ...], tmp_path: Path) -> None:
    """The state file holds them, like the period."""
    file = tmp_path / "i.jsonl"
    pages = [[item(), item("knowledge-rag", confidence=0.7)], [item("knowledge-rag", confidence=None), item(age=-DAY)]]
    assert _recs(FakeDynamoDb(pages[0], _outage()), "incident", "incident-7", file, *args).exit_code == 3
    assert _recs(FakeDynamoDb(*pages), "resume", file).exit_code == 0
    assert file.read_bytes() == _lines([[item(), item(age=-DAY)]])


def test_csv_has_one_header(tmp_path: Path) -> None:
    """A resumed export does not repeat it."""
    whole, broken = tmp_path / "whole.csv", tmp_path / "broken.csv"
    assert _recs(FakeDynamoDb(*_pages()), "incident", "incident-7", whole).exit_code == 0
    first, *others = _pages()
    assert _recs(FakeDynamoDb(first, _outage()), "incident", "incident-7", broken).exit_code == 3
    assert _recs(FakeDynamoDb(first, *others), "resume", broken).exit_code == 0
    assert broken.read_bytes() == whole.read_bytes()
    with whole.open(newline="") as stream:
        assert [row["agentType"] for row in csv.DictReader(stream)] == ["consensus"] * 5


@pytest.mark.parametrize("good_pages", [1, 2, 3])
def test_an_interrupted_export_resumes_where_it_stopped(good_pages: int, tmp_path: Path) -> None:
    """Pages that were read before the interruption are not read again."""
    file = tmp_path / "i.jsonl"
    all_pages = _pages(4)
    failed = _recs(FakeDynamoDb(*all_pages[:good_pages], _outage()), "incident", "incident-7", file)
    assert failed.exit_code == 3
    assert f"To resume: recs export resume {file}" in failed.stderr
    assert not file.exists()
    client = FakeDynamoDb(*all_pages)
    assert _recs(client, "resume", file).exit_code == 0
    assert file.read_bytes() == _lines(all_pages)
    assert len(client.queries) == 4 - good_pages
    assert [path.name for path in tmp_path.iterdir()] == ["i.jsonl"]


def test_a_period_resumes_in_the_search_that_was_interrupted(tmp_path: Path) -> None:
    """Searches that were finished are not run again."""

    class ByAgent(FakeDynamoDb):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            agent = parameters["ExpressionAttributeValues"][":key"]["S"]
            if len(self.queries) == self.failing:
                raise _outage()
            self.queries.append(parameters)
            stored = [item(agent, age=timedelta(seconds=-number)) for number in range(2)]
            if "ExclusiveStartKey" in parameters:
                return {"Items": stored[1:]}
            return {"Items": stored[:1], "LastEvaluatedKey": {"page": 1}}

        failing = 1000

    whole = tmp_path / "whole.jsonl"
    _recs(ByAgent(), "period", whole)
    assert len(whole.read_bytes().splitlines()) == 14
    for failing in range(1, 14):
        file = tmp_path / f"{failing}.jsonl"
        client = ByAgent()
        client.failing = failing
        assert _recs(client, "period", file).exit_code == 3
        assert _recs(ByAgent(), "resume", file).exit_code == 0
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
    assert _recs(FakeDynamoDb(table[:2], table[2:]), "resume", file).exit_code == 0
    assert file.read_bytes() == _lines([table])


def test_bytes_that_no_state_counts_are_cut_off(tmp_path: Path) -> None:
    """The process may end between writing a page and writing its state."""
    file = tmp_path / "i.jsonl"
    first, second, third = _pages()
    _recs(FakeDynamoDb(first, _outage()), "incident", "incident-7", file)
    with part_path(file).open("ab") as stream:
        stream.write(b'{"half a li')
    assert _recs(FakeDynamoDb(first, second, third), "resume", file).exit_code == 0
    assert file.read_bytes() == _lines(_pages())


def test_resuming_a_complete_export_only_says_so(tmp_path: Path) -> None:
    """The process may end between renaming the file and deleting the state."""
    file = tmp_path / "i.jsonl"
    file.write_bytes(b"all of it\n")
    state_path(file).write_text("{}")
    result = _recs(FakeDynamoDb(), "resume", file)
    assert (result.exit_code, file.read_bytes()) == (2, b"all of it\n")
    _recs(FakeDynamoDb([item()], _outage()), "incident", "incident-7", tmp_path / "j.jsonl")
    part_path(tmp_path / "j.jsonl").rename(tmp_path / "j.jsonl")
    result = _recs(FakeDynamoDb(), "resume", tmp_path / "j.jsonl")
    assert (result.exit_code, "is complete" in result.stderr) == (0, True)
    assert not state_path(tmp_path / "j.jsonl").exists()


def test_two_processes_cannot_write_one_file(tmp_path: Path) -> None:
    """The second fails, and the first one's bytes stay."""
    file = tmp_path / "i.jsonl"
    with part_path(file).open("ab") as held:
        held.write(b"x")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        result = _recs(FakeDynamoDb([item()]), "incident", "incident-7", file, "--overwrite")
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
    result = _recs(FakeDynamoDb(*_pages()), "incident", "incident-7", file)
    monkeypatch.undo()
    assert result.exit_code == 5
    assert "cannot be written: No space left on device" in result.stderr
    assert _recs(FakeDynamoDb(*_pages()), "resume", file).exit_code == 0
    assert file.read_bytes() == _lines(_pages())


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"version": 3}', '{"version": 2, "plan": {}}'])
def test_a_state_of_another_version_or_kind_is_refused(state: str, tmp_path: Path) -> None:
    """The message says what to do."""
    file = tmp_path / "i.jsonl"
    state_path(file).write_text(state)
    part_path(file).touch()
    result = _recs(FakeDynamoDb(), "resume", file)
    assert result.exit_code == 2
    assert "start again with --overwrite" in result.stderr


def test_a_file_shorter_than_its_state_is_refused(tmp_path: Path) -> None:
    """Something else has changed it."""
    file = tmp_path / "i.jsonl"
    _recs(FakeDynamoDb([item()], _outage()), "incident", "incident-7", file)
    part_path(file).write_bytes(b"short")
    with pytest.raises(StateError, match="is shorter than"):
        ResumableFile.resume(file)
    assert _recs(FakeDynamoDb(), "resume", tmp_path / "none.jsonl").exit_code == 2
