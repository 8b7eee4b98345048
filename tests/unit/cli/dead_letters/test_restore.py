"""`recs dlq restore`: sends saved dead letters, which may have been purged since, to the queue."""

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
    """Three saved dead letters: one with attributes of all kinds, one redriven before, one that is poison."""
    sqs, path = FakeSqs(), tmp_path / "saved.jsonl"
    attributes = {**text_attributes(team="sre"), "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    sqs.put(body(1), attributes, AWSTraceHeader=TRACE)
    sqs.put(body(2, agent_type="knowledge-rag"), {"replayCount": {"DataType": "Number", "StringValue": "2"}})
    sqs.put("no JSON", text_attributes(failureReason="InvalidJson"))
    assert run(sqs, tmp_path, "save", str(path)).exit_code == 0
    return path


def _restore(sqs: FakeSqs, file: Path, *args: str) -> Result:
    return run(sqs, file.parent, "restore", str(file), *args, urls=("--queue-url", QUEUE))


def test_dry_run_sends_nothing(file: Path) -> None:
    """It says what would be sent, and leaves no journal."""
    sqs = FakeSqs()
    result = _restore(sqs, file)
    assert result.exit_code == 0
    assert "3 dead letters not sent yet." in result.stdout
    assert "RetriesExhausted         2      1h  moved to recommendations" in result.stdout
    assert "left: would fail again (not JSON)" in result.stdout
    assert "Dry run, nothing was changed: 2 dead letters would be sent." in result.stderr
    assert sqs.calls == []
    assert list(file.parent.iterdir()) == [file]


def test_restore_keeps_attributes_and_counts_the_replay(file: Path) -> None:
    """As in a redrive, poison is left."""
    sqs = FakeSqs()
    result = _restore(sqs, file, "--yes")
    assert result.exit_code == 0, result.output
    assert "Sent 2 dead letters to recommendations." in result.stdout
    assert "1 left, InvalidJson: would fail again (not JSON)" in result.stdout
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


def test_second_run_sends_nothing_twice(file: Path) -> None:
    """The journal belongs to the file's content, whatever its name."""
    sqs = FakeSqs()
    assert _restore(sqs, file, "--yes", "--limit", "1").exit_code == 0
    moved = file.rename(file.with_name("renamed.jsonl"))
    dry = _restore(sqs, moved)
    assert "1 dead letter would be sent" in dry.stderr
    assert "1 dead letter already sent by an earlier run will not be sent again." in dry.stderr
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
def test_filters_limit_and_rate_apply(file: Path, args: tuple[str, ...], sent: int) -> None:
    """They work as in a redrive."""
    sqs = FakeSqs()
    assert _restore(sqs, file, "--yes", *args).exit_code == 0
    assert len(sqs.queues[QUEUE]) == sent


@pytest.mark.parametrize("args", [("--incident", "incident-9"), ("--reason", "ItemRejected")])
@pytest.mark.parametrize("yes", [(), ("--yes",)])
def test_nothing_to_send_exits_with_1(file: Path, args: tuple[str, ...], yes: tuple[str, ...]) -> None:
    """A dry run does so too."""
    sqs = FakeSqs()
    assert _restore(sqs, file, *args, *yes).exit_code == 1
    assert sqs.queues[QUEUE] == []


def test_file_of_only_poison_names_the_options_that_send_it(tmp_path: Path, file: Path) -> None:
    """Its cause must be fixed first."""
    lines = file.read_text().splitlines(keepends=True)
    (tmp_path / "poison.jsonl").write_text(lines[2])
    result = _restore(FakeSqs(), tmp_path / "poison.jsonl")
    assert result.exit_code == 1
    assert "could be sent: fix the cause first, then name its --reason or pass --include-poison." in result.stderr


def test_next_run_sends_what_the_queue_refused(file: Path) -> None:
    """A response with HTTP 200 may list failed entries."""
    sqs = FakeSqs()
    sqs.refused.add(body(1))
    result = _restore(sqs, file, "--yes")
    assert result.exit_code == 5
    assert "1 left, refused by the queue: InternalError" in result.stdout
    sqs.refused.clear()
    assert _restore(sqs, file, "--yes").exit_code == 0
    assert sorted(sqs.bodies(QUEUE)) == sorted([body(1), body(2, agent_type="knowledge-rag")])


def test_ctrl_c_stops_after_the_current_batch(tmp_path: Path) -> None:
    """The next run continues from there."""

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
    assert "Interrupted. Run the same command again to continue." in result.stderr
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
def test_damaged_file_is_refused_before_anything_is_sent(file: Path, change: str | dict[str, Any]) -> None:
    """The message names the line."""
    first, second, *rest = file.read_text().splitlines()
    damaged = change if isinstance(change, str) else json.dumps({**json.loads(second), **change})
    file.write_text("\n".join([first, damaged, *rest]) + "\n")
    sqs = FakeSqs()
    result = _restore(sqs, file, "--yes")
    assert result.exit_code == 2
    assert "line 2, was not written by `recs dlq save`" in result.stderr
    assert sqs.calls == []


def test_missing_queue_is_reported(file: Path) -> None:
    """Nothing is sent, and no journal is written."""
    sqs = FakeSqs()
    sqs.failing["get_queue_attributes"] = error("AWS.SimpleQueueService.NonExistentQueue", "GetQueueAttributes")
    result = _restore(sqs, file, "--yes")
    assert result.exit_code == 3
    assert "There is no queue recommendations" in result.stderr
    assert sqs.queues[QUEUE] == []


def test_restore_takes_no_dead_letter_queue(file: Path) -> None:
    """The file is its source."""
    assert run(FakeSqs(), file.parent, "restore", str(file)).exit_code == 2
