"""What `recs export` writes, and that an interruption anywhere costs nothing."""

import csv
import fcntl
import json
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
from hypothesis import given, settings

from recommendation_cli.app import recs
from recommendation_cli.export.resumable_file import ResumableFile, part_path, state_path
from recommendation_cli.export.state import StateError
from recommendation_cli.export.verify import verify
from recommendation_cli.output import json_line
from recommendation_shared.envelope import Envelope
from recommendation_shared.item.encoding import decode_item, encode_item
from tests.support.fakes.recommendation_table import FakeDynamoDb, IndexedDynamoDb, Item, item, runtime
from tests.support.strategies import envelope_fields

DAY = timedelta(days=1)
KILLED = """
import os, signal, sys
from recommendation_cli.app import recs
from tests.support.fakes.recommendation_table import FakeDynamoDb, items, runtime

class Killing(FakeDynamoDb):
    def query(self, **parameters):
        if len(self.queries) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().query(**parameters)

made = items(4)
recs(["export", "incident", "incident-7", sys.argv[1]], obj=runtime(Killing(made[:2], made[2:])))
"""


def _recs(client: FakeDynamoDb, *args: str | Path) -> Result:
    return CliRunner().invoke(recs, ["export", *map(str, args)], obj=runtime(client))


def _pages(count: int = 3) -> list[list[Item]]:
    """Make pages of two, oldest first, one expired item among them."""
    made = [item(age=timedelta(seconds=-number), reasoning=f"Number {number}.") for number in range(2 * count)]
    made[1] = item("expired", age=timedelta(days=2), retention=1)
    return [made[start : start + 2] for start in range(0, len(made), 2)]


def _lines(pages: Sequence[Sequence[Item]]) -> bytes:
    return b"".join(json_line(decode_item(one)) for page in pages for one in page if "expired" not in str(one))


def test_whole_documents_are_written_oldest_first(tmp_path: Path) -> None:
    """Expired ones left out, and counted."""
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
    """In the period asked for."""
    client = FakeDynamoDb(*_pages())
    assert _recs(client, command, value, tmp_path / "x.jsonl", "--since", "24h").exit_code == 0
    values = client.queries[0]["ExpressionAttributeValues"]
    assert values == {":key": {"S": value}, ":since": {"S": "2026-01-31T12:00:00.000000Z"}}


def test_a_period_is_read_agent_by_agent(tmp_path: Path) -> None:
    """Since the table has no index of time alone: the usual types, or those named; which were read is said."""
    client = FakeDynamoDb([item()])
    result = _recs(client, "period", tmp_path / "p.jsonl")
    assert len(client.queries) == 7
    assert "Agent types read: signal-intelligence, " in result.stderr
    client = FakeDynamoDb([item()])
    result = _recs(client, "period", tmp_path / "q.jsonl", "--agent", "own", "--agent", "consensus")
    asked = [query["ExpressionAttributeValues"][":key"]["S"] for query in client.queries]
    assert asked == ["own", "consensus"]
    assert "Agent types read: own, consensus." in result.stderr


@pytest.mark.parametrize("args", [("--agent", "consensus"), ("--min-confidence", "0.80")])
def test_an_export_is_narrowed_after_an_interruption_too(args: tuple[str, ...], tmp_path: Path) -> None:
    """The state keeps the filter, as it keeps the period."""
    file = tmp_path / "i.jsonl"
    pages = [[item(), item("knowledge-rag", confidence=0.7)], [item("knowledge-rag", confidence=None), item(age=-DAY)]]
    assert _recs(FakeDynamoDb(pages[0], _outage()), "incident", "incident-7", file, *args).exit_code == 3
    assert _recs(FakeDynamoDb(*pages), "resume", file).exit_code == 0
    assert file.read_bytes() == _lines([[item(), item(age=-DAY)]])


def test_an_export_of_what_is_not_there_says_what_may_have_been_meant(tmp_path: Path) -> None:
    """As the lists do, and what a filter has left out."""
    client = IndexedDynamoDb([item()])
    assert "did you mean incident-7?" in _recs(client, "incident", "incident-77", tmp_path / "x.jsonl").stderr
    nothing = _recs(client, "incident", "incident-7", tmp_path / "x.jsonl", "--agent", "oracle")
    assert "has agent oracle: they are of consensus (1)" in nothing.stderr
    nothing = _recs(client, "period", tmp_path / "x.jsonl", "--min-confidence", "1")
    assert "1 are below --min-confidence" in nothing.stderr
    assert list(tmp_path.iterdir()) == []


def test_csv_has_one_header(tmp_path: Path) -> None:
    """And a record for each document, after an interruption too."""
    whole, broken = tmp_path / "whole.csv", tmp_path / "broken.csv"
    assert _recs(FakeDynamoDb(*_pages()), "incident", "incident-7", whole).exit_code == 0
    first, *others = _pages()
    assert _recs(FakeDynamoDb(first, _outage()), "incident", "incident-7", broken).exit_code == 3
    assert _recs(FakeDynamoDb(first, *others), "resume", broken).exit_code == 0
    assert broken.read_bytes() == whole.read_bytes()
    with whole.open(newline="") as stream:
        assert [row["agentType"] for row in csv.DictReader(stream)] == ["consensus"] * 5


def test_standard_output_gets_the_documents_alone(tmp_path: Path) -> None:
    """For a pipe; in JSON Lines unless told otherwise."""
    result = _recs(FakeDynamoDb(*_pages()), "incident", "incident-7", "-")
    assert result.stdout.encode() == _lines(_pages())
    assert _recs(FakeDynamoDb([item()]), "incident", "incident-7", "-", "--format", "csv").stdout.startswith("recomm")
    assert _recs(FakeDynamoDb([]), "incident", "incident-7", "-").exit_code == 1
    assert list(tmp_path.iterdir()) == []


def _outage() -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "Query")


@pytest.mark.parametrize("good_pages", [1, 2, 3])
def test_an_interrupted_export_goes_on_where_it_was(good_pages: int, tmp_path: Path) -> None:
    """Whatever was read before the interruption is not read again."""
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


def test_several_searches_go_on_in_the_one_that_was_interrupted(tmp_path: Path) -> None:
    """Of a period."""

    class ByAgent(FakeDynamoDb):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            agent = parameters["ExpressionAttributeValues"][":key"]["S"]
            if len(self.queries) == self.failing:
                raise _outage()
            self.queries.append(parameters)
            made = [item(agent, age=timedelta(seconds=-number)) for number in range(2)]
            second = "ExclusiveStartKey" in parameters
            return {"Items": made[1:]} if second else {"Items": made[:1], "LastEvaluatedKey": {"page": 1}}

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


def test_a_killed_export_goes_on(tmp_path: Path) -> None:
    """A process that ends by SIGKILL leaves whole pages and how many they are."""
    file = tmp_path / "i.jsonl"
    command = [sys.executable, "-c", KILLED, str(file)]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not file.exists()
    assert len(part_path(file).read_bytes().splitlines()) == 2
    made = [item(age=timedelta(seconds=number)) for number in range(4)]
    assert _recs(FakeDynamoDb(made[:2], made[2:]), "resume", file).exit_code == 0
    assert file.read_bytes() == _lines([made])


def test_bytes_that_no_state_counts_are_cut_off(tmp_path: Path) -> None:
    """They reached the disk just before the end."""
    file = tmp_path / "i.jsonl"
    first, second, third = _pages()
    _recs(FakeDynamoDb(first, _outage()), "incident", "incident-7", file)
    with part_path(file).open("ab") as stream:
        stream.write(b'{"half a li')
    assert _recs(FakeDynamoDb(first, second, third), "resume", file).exit_code == 0
    assert file.read_bytes() == _lines(_pages())


def test_going_on_after_the_last_step_but_one_only_says_so(tmp_path: Path) -> None:
    """The file has its name, and the state is still there."""
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


def test_what_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    """Neither a file nor an export that was interrupted."""
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


def test_two_processes_do_not_grow_one_file(tmp_path: Path) -> None:
    """The second one is told, and the first one's bytes stay."""
    file = tmp_path / "i.jsonl"
    with part_path(file).open("ab") as held:
        held.write(b"x")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        result = _recs(FakeDynamoDb([item()]), "incident", "incident-7", file, "--overwrite")
        assert (result.exit_code, "Another process" in result.stderr) == (2, True)
        assert part_path(file).read_bytes() == b"x"


@pytest.mark.parametrize(
    ("pages", "code"), [(([],), 1), (([item(retention=1)],), 1), ((_outage(),), 3), (([], _outage()), 3)]
)
def test_an_export_of_nothing_leaves_nothing(pages: Any, code: int, tmp_path: Path) -> None:
    """No empty file that looks like an answer."""
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
def test_a_file_that_cannot_be_is_wrong_usage(name: str, sentence: str, tmp_path: Path) -> None:
    """Before anything is read."""
    client = FakeDynamoDb([item()])
    result = _recs(client, "incident", "incident-7", tmp_path / name)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert client.queries == []


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was written before can be gone on with."""
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


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "plan": {}}'])
def test_a_state_of_another_kind_is_refused(state: str, tmp_path: Path) -> None:
    """With what to do."""
    file = tmp_path / "i.jsonl"
    state_path(file).write_text(state)
    part_path(file).touch()
    result = _recs(FakeDynamoDb(), "resume", file)
    assert result.exit_code == 2
    assert "start again with --overwrite" in result.stderr


def test_a_file_shorter_than_its_state_is_refused(tmp_path: Path) -> None:
    """Something else has touched it."""
    file = tmp_path / "i.jsonl"
    _recs(FakeDynamoDb([item()], _outage()), "incident", "incident-7", file)
    part_path(file).write_bytes(b"short")
    with pytest.raises(StateError, match="is shorter than"):
        ResumableFile.resume(file)
    assert _recs(FakeDynamoDb(), "resume", tmp_path / "none.jsonl").exit_code == 2


@settings(max_examples=60, deadline=None)
@given(envelope_fields)
def test_any_item_comes_back_byte_for_byte(fields: dict[str, Any]) -> None:
    """Exported and made again by the consumer's code."""
    line = json_line(decode_item(json.loads(encode_item(Envelope.create(**fields).to_fields()).body)))
    assert list(verify([line])) == [None]


def test_a_trimmed_item_comes_back_too() -> None:
    """Though its envelope was larger than what the table holds."""
    line = json_line(decode_item(item(reasoning="x" * 500_000, recommendation={"deep": [[[1.5e-7, 1e40]]]})))
    assert list(verify([line])) == [None]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda line: line.replace(b"0.87", b"0.88"), "the content has the digest"),
        (lambda line: line.replace(b'"ttl":', b'"ttl":1'), "the content has the ttl"),
        (
            lambda line: line.replace(b'"confidence":0.87', b'"confidence": 0.87'),
            "not the bytes that recs export writes",
        ),
        (lambda line: line.replace(b'"contentDigest"', b'"digest"'), "the content has the digest"),
        (lambda line: line[:-10], "the file was cut off"),
        (lambda line: line[:50] + b"\n", "must be JSON"),
        (lambda line: b"[]\n", "InvalidEnvelope"),  # noqa: ARG005 - all have one argument
        (lambda line: line.replace(b"rec-incident-7", b"rec-incident-8"), "IdMismatch"),
    ],
)
def test_any_change_is_found(change: Any, what: str, tmp_path: Path) -> None:
    """With its line's number; exit code 4."""
    good, other = (json_line(decode_item(one)) for one in (item(), item("knowledge-rag")))
    file = tmp_path / "x.jsonl"
    file.write_bytes(other + change(good))
    result = _recs(FakeDynamoDb(), "verify", file)
    assert result.exit_code == 4
    assert result.stdout.startswith("line 2: ")
    assert what in result.stdout
    assert "1 of 2 lines" in result.stderr


def test_a_document_twice_is_found(tmp_path: Path) -> None:
    """As a faulty continuation would leave it."""
    file = tmp_path / "x.jsonl"
    file.write_bytes(json_line(decode_item(item())) * 2)
    assert "line 2: rec-incident-7-consensus-2026-01-31T12:00:00Z: the same recommendation is on an earlier line" in (
        _recs(FakeDynamoDb(), "verify", file).stdout
    )


def test_verify_says_what_was_right(tmp_path: Path) -> None:
    """And refuses what it cannot check."""
    file = tmp_path / "x.jsonl"
    file.write_bytes(json_line(decode_item(item())))
    result = _recs(FakeDynamoDb(), "verify", file)
    assert (result.exit_code, result.stdout[:27]) == (0, "1 recommendations verified:")
    file.write_bytes(b"")
    assert _recs(FakeDynamoDb(), "verify", file).exit_code == 1
    (tmp_path / "x.csv").touch()
    assert _recs(FakeDynamoDb(), "verify", tmp_path / "x.csv").exit_code == 2
    assert _recs(FakeDynamoDb(), "verify", tmp_path / "none.jsonl").exit_code == 2


def test_options_may_stand_before_the_group(tmp_path: Path) -> None:
    """As in `recs --table T export …`."""
    client = FakeDynamoDb([item()])
    args = ["--table", "other", "export", "incident", "incident-7", str(tmp_path / "x.jsonl")]
    assert CliRunner().invoke(recs, args, obj=runtime(client)).exit_code == 0
    assert client.queries[0]["TableName"] == "other"


@pytest.mark.parametrize("command", ["incident", "agent", "execution", "period", "resume", "verify"])
def test_every_help_has_an_example(command: str) -> None:
    """That can be typed."""
    assert f"Example:\n    recs export {command} " in _recs(FakeDynamoDb(), command, "-h").stdout
