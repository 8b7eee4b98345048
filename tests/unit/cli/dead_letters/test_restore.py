"""`recs dlq restore`: what was saved, and perhaps purged since, goes to the queue again."""

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.support.fakes.dead_letter_queue import DLQ, QUEUE, FakeSqs, body, error, run, text_attributes

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three dead letters that were saved and purged: with attributes of all kinds, redriven before, and poison."""
    sqs, path = FakeSqs(), tmp_path / "saved.jsonl"
    kept = {**text_attributes(team="sre"), "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    sqs.put(body(1), kept, AWSTraceHeader=TRACE)
    sqs.put(body(2, agent_type="knowledge-rag"), {"replayCount": {"DataType": "Number", "StringValue": "2"}})
    sqs.put("no JSON", text_attributes(failureReason="InvalidJson"))
    assert run(sqs, tmp_path, "save", str(path)).exit_code == 0
    return path


def _restore(sqs: FakeSqs, file: Path, *args: str) -> Result:
    return run(sqs, file.parent, "restore", str(file), *args, urls=("--queue-url", QUEUE))


def test_without_yes_nothing_is_sent(file: Path) -> None:
    """It says what would be, and leaves no journal."""
    sqs = FakeSqs()
    result = _restore(sqs, file)
    assert result.exit_code == 0
    assert "3 dead letters not sent yet." in result.stdout
    assert "RetriesExhausted         2      1h  moved to recommendations" in result.stdout
    assert "left: would come back: not JSON" in result.stdout
    assert "Dry run, nothing was changed: 2 dead letters would be sent." in result.stderr
    assert sqs.calls == []
    assert list(file.parent.iterdir()) == [file]


def test_yes_sends_them_with_their_attributes_and_counts_the_replay(file: Path) -> None:
    """As a redrive does; poison stays in the file."""
    sqs = FakeSqs()
    result = _restore(sqs, file, "--yes")
    assert result.exit_code == 0, result.output
    assert "Sent 2 dead letters to recommendations." in result.stdout
    assert "1 left, InvalidJson: would come back: not JSON" in result.stdout
    first, second = sqs.queues[QUEUE]
    assert (first.body, second.body) == (body(1), body(2, agent_type="knowledge-rag"))
    assert first.attributes == {
        "team": {"DataType": "String", "StringValue": "sre"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        "replayCount": {"DataType": "Number", "StringValue": "1"},
    }
    assert first.system == {"AWSTraceHeader": TRACE}
    assert second.attributes["replayCount"]["StringValue"] == "3"
    assert sqs.queues[DLQ] == []


def test_a_second_run_sends_nothing_twice(file: Path) -> None:
    """The journal goes with the file's content, whatever its name."""
    sqs = FakeSqs()
    assert _restore(sqs, file, "--yes", "--limit", "1").exit_code == 0
    moved = file.rename(file.with_name("renamed.jsonl"))
    dry = _restore(sqs, moved)
    assert "1 dead letter would be sent" in dry.stderr
    assert "1 dead letter of it were sent by an earlier run" in dry.stderr
    again = _restore(sqs, moved, "--yes")
    assert "1 sent by an earlier run: not sent again" in again.stdout
    assert len(sqs.queues[QUEUE]) == 2
    assert _restore(sqs, moved).exit_code == 1
    assert _restore(sqs, moved, "--yes").exit_code == 0
    assert len(sqs.queues[QUEUE]) == 2
    other = ("--journal", str(file.parent / "other"))
    assert _restore(sqs, moved, "--yes", *other).exit_code == 0
    assert len(sqs.queues[QUEUE]) == 4


@pytest.mark.parametrize(
    ("args", "sent"),
    [
        (("--agent", "knowledge-rag"), 1),
        (("--reason", "InvalidJson"), 1),
        (("--include-poison",), 3),
        (("--limit", "2", "--include-poison"), 2),
        (("--rate", "1"), 2),
    ],
)
def test_what_is_sent_can_be_narrowed(file: Path, args: tuple[str, ...], sent: int) -> None:
    """As with redrive."""
    sqs = FakeSqs()
    assert _restore(sqs, file, "--yes", *args).exit_code == 0
    assert len(sqs.queues[QUEUE]) == sent


@pytest.mark.parametrize("args", [("--incident", "incident-9"), ("--reason", "ItemRejected")])
@pytest.mark.parametrize("yes", [(), ("--yes",)])
def test_nothing_to_send_is_an_exit_code_of_its_own(file: Path, args: tuple[str, ...], yes: tuple[str, ...]) -> None:
    """With or without --yes."""
    sqs = FakeSqs()
    assert _restore(sqs, file, *args, *yes).exit_code == 1
    assert sqs.queues[QUEUE] == []


def test_only_poison_says_how_it_is_sent_all_the_same(tmp_path: Path, file: Path) -> None:
    """When its cause is mended."""
    lines = file.read_text().splitlines(keepends=True)
    (tmp_path / "poison.jsonl").write_text(lines[2])
    result = _restore(FakeSqs(), tmp_path / "poison.jsonl")
    assert result.exit_code == 1
    assert "mend its cause first, then name its --reason or pass --include-poison" in result.stderr


def test_what_the_queue_refuses_is_said_and_sent_by_the_next_run(file: Path) -> None:
    """An HTTP 200 may carry failed entries."""
    sqs = FakeSqs()
    sqs.refused.add(body(1))
    result = _restore(sqs, file, "--yes")
    assert result.exit_code == 5
    assert "1 left, refused by the queue: InternalError" in result.stdout
    sqs.refused.clear()
    assert _restore(sqs, file, "--yes").exit_code == 0
    assert sorted(sqs.bodies(QUEUE)) == sorted([body(1), body(2, agent_type="knowledge-rag")])


def test_ctrl_c_ends_it_between_two_batches(tmp_path: Path) -> None:
    """And the next run goes on."""

    class Pressed(FakeSqs):
        def send_message_batch(self, **parameters: Any) -> Mapping[str, Any]:
            if not self.sent_batches:
                signal.raise_signal(signal.SIGINT)
            return super().send_message_batch(**parameters)

    sqs, path = Pressed(), tmp_path / "many.jsonl"
    for number in range(25):
        sqs.put(body(number))
    run(sqs, tmp_path, "save", str(path))
    result = _restore(sqs, path, "--yes")
    assert result.exit_code == 130
    assert "Sent 10 dead letters" in result.stdout
    assert "run the same command again" in result.stderr.lower()
    assert "Sent 15 dead letters" in _restore(sqs, path, "--yes").stdout


@pytest.mark.parametrize(
    "change",
    [
        "no JSON",
        "[]",
        {"body": 7},
        {"messageAttributes": {"a": {"DataType": 1}}},
        {"messageAttributes": {"a": {"DataType": "Binary", "BinaryValue": "%"}}},
        {"attributes": []},
    ],
)
def test_a_damaged_file_is_refused_before_anything_is_sent(file: Path, change: str | dict[str, Any]) -> None:
    """The line is named."""
    first, second, *rest = file.read_text().splitlines()
    damaged = change if isinstance(change, str) else json.dumps({**json.loads(second), **change})
    file.write_text("\n".join([first, damaged, *rest]) + "\n")
    sqs = FakeSqs()
    result = _restore(sqs, file, "--yes")
    assert result.exit_code == 2
    assert "line 2, is not what `recs dlq save` writes" in result.stderr
    assert sqs.calls == []


def test_a_queue_that_is_not_there_is_said(file: Path) -> None:
    """Before anything is sent."""
    sqs = FakeSqs()
    sqs.failing["get_queue_attributes"] = error("AWS.SimpleQueueService.NonExistentQueue", "GetQueueAttributes")
    result = _restore(sqs, file, "--yes")
    assert result.exit_code == 3
    assert "There is no queue recommendations" in result.stderr
    assert sqs.queues[QUEUE] == []


def test_it_takes_no_dead_letter_queue(file: Path) -> None:
    """The file is the source."""
    assert run(FakeSqs(), file.parent, "restore", str(file)).exit_code == 2
