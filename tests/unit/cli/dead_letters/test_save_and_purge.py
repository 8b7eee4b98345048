"""`recs dlq save` and `recs dlq purge`: only what is in a file is deleted."""

import base64
import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes.dead_letter_queue import DLQ, FakeSqs, body, error, run, text_attributes

NAME = "recommendations-dlq"


@pytest.fixture
def sqs() -> FakeSqs:
    """Twelve dead letters; the bodies of the last two are not JSON."""
    queues = FakeSqs()
    for number in range(10):
        queues.put(body(number))
    queues.put("no JSON \x1b", text_attributes(failureReason="InvalidJson"))
    queues.put("\ud800", {"raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}})
    return queues


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file to save to."""
    return tmp_path / "saved.jsonl"


def test_save_writes_everything_and_changes_nothing(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """Only the owner may read the file, whatever a killed save has left, and nothing else is left on disk."""
    Path(f"{file}.new").write_text("half")
    result = run(sqs, tmp_path, "save", str(file))
    assert result.exit_code == 0
    assert "Saved 12 dead letters in " in result.stdout
    assert "secret" not in result.output
    saved = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["body"] for line in saved] == sqs.bodies(DLQ)
    assert saved[11]["messageAttributes"]["raw"]["BinaryValue"] == base64.b64encode(b"\x00\xff").decode()
    assert saved[0]["attributes"]["SentTimestamp"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert (len(sqs.queues[DLQ]), sqs.hidden(DLQ)) == (12, 0)
    assert list(tmp_path.iterdir()) == [file]


def test_save_never_replaces_a_file(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """That file may be the only copy of something."""
    file.write_text("precious")
    assert run(sqs, tmp_path, "save", str(file)).exit_code == 2
    assert file.read_text() == "precious"


def test_failed_save_leaves_no_partial_file(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """A file that exists is complete."""
    sqs.failing["receive_message"] = error("RequestThrottled")
    assert run(sqs, tmp_path, "save", str(file)).exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_save_of_nothing_exits_with_1(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """It writes no file."""
    assert run(sqs, tmp_path, "save", str(file), "--incident", "incident-9").exit_code == 1
    assert not file.exists()


def test_save_reports_what_it_could_not_receive(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """Another reader has hidden two messages."""
    sqs.receive_message(QueueUrl=DLQ, MaxNumberOfMessages=2, VisibilityTimeout=60, WaitTimeSeconds=1)
    result = run(sqs, tmp_path, "save", str(file))
    assert result.exit_code == 5
    assert "Only 10 of about 10 could be received (2 in flight, hidden by another reader)" in result.stderr
    assert len(file.read_text().splitlines()) == 10


def test_purge_deletes_what_was_saved_and_nothing_else(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """The filters of the save decided what is in the file."""
    run(sqs, tmp_path, "save", str(file), "--reason", "InvalidJson")
    result = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert result.exit_code == 0, result.output
    assert "Deleted 1 dead letter that " in result.stdout
    assert "Left 11 dead letters that the file does not hold." in result.stdout
    assert "no JSON \x1b" not in sqs.bodies(DLQ)
    assert (len(sqs.queues[DLQ]), sqs.hidden(DLQ)) == (11, 0)


def test_purge_leaves_what_arrived_later_and_what_has_changed(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """A matching ID is not enough: the file must hold the content."""
    run(sqs, tmp_path, "save", str(file))
    sqs.queues[DLQ][0].body = "changed"
    sqs.queues[DLQ][1].attributes = text_attributes(changed="yes")
    sqs.put("later")
    result = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert result.exit_code == 5
    assert sorted(sqs.bodies(DLQ)) == sorted(["changed", body(1), "later"])
    assert (
        "2 of the 12 dead letters in the file were not deleted. The queue has 2 of them with different content"
        in result.stderr
    )


def test_purge_succeeds_where_messages_are_already_gone(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """They were purged or redriven since; a second purge finds nothing."""
    run(sqs, tmp_path, "save", str(file))
    del sqs.queues[DLQ][:1]
    result = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert result.exit_code == 0
    assert "Deleted 11 dead letters" in result.stdout
    assert "1 of the 12 dead letters in the file was no longer in the queue" in result.stdout
    again = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert again.exit_code == 1
    assert "purged or redriven already" in again.stderr


def test_purge_is_incomplete_while_messages_are_in_flight(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """Another reader may return them to the queue."""
    run(sqs, tmp_path, "save", str(file))
    sqs.receive_message(QueueUrl=DLQ, MaxNumberOfMessages=2, VisibilityTimeout=60, WaitTimeSeconds=1)
    result = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert result.exit_code == 5
    assert "2 of the 12 dead letters in the file were not deleted and may be in flight" in result.stderr


@pytest.mark.parametrize("confirm", [(), ("--confirm", "recommendations"), ("--confirm", "")])
def test_purge_requires_the_queues_name(sqs: FakeSqs, tmp_path: Path, file: Path, confirm: tuple[str, ...]) -> None:
    """Without a terminal to type it on, it must be given as an option."""
    run(sqs, tmp_path, "save", str(file))
    assert run(sqs, tmp_path, "purge", str(file), *confirm).exit_code == 2
    assert len(sqs.queues[DLQ]) == 12


@pytest.mark.parametrize("content", ["", "{}\n", "no JSON\n", '{"messageId": "m"}\n', "[]\n", "\xff\n"])
def test_purge_refuses_a_file_that_save_did_not_write(sqs: FakeSqs, tmp_path: Path, file: Path, content: str) -> None:
    """No call is made."""
    file.write_text(content, encoding="latin-1")
    assert run(sqs, tmp_path, "purge", str(file), "--confirm", NAME).exit_code == 2
    assert sqs.calls == []


def test_purge_counts_only_confirmed_deletions(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """A response with HTTP 200 may list failed entries."""
    run(sqs, tmp_path, "save", str(file))
    sqs.undeletable.add("dead-3")
    result = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert result.exit_code == 5
    assert "Deleted 11 dead letters" in result.stdout


def test_ctrl_c_stops_a_purge_after_the_current_batch(tmp_path: Path, file: Path) -> None:
    """The other messages are returned."""

    class Interrupted(FakeSqs):
        def delete_message_batch(self, **parameters: Any) -> Mapping[str, Any]:
            signal.raise_signal(signal.SIGINT)
            return super().delete_message_batch(**parameters)

    sqs = Interrupted()
    for number in range(15):
        sqs.put(body(number))
    run(sqs, tmp_path, "save", str(file))
    result = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert result.exit_code == 130
    assert "Deleted 10 dead letters" in result.stdout
    assert (len(sqs.queues[DLQ]), sqs.hidden(DLQ)) == (5, 0)
