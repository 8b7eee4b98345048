"""`recs dlq save` and `recs dlq purge`: nothing is deleted that is not in a file."""

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
    """Twelve dead letters, the last two of them poison."""
    made = FakeSqs()
    for number in range(10):
        made.put(body(number))
    made.put("no JSON \x1b", text_attributes(failureReason="InvalidJson"))
    made.put("\ud800", {"raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}})
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where to save."""
    return tmp_path / "saved.jsonl"


def test_save_writes_everything_and_changes_nothing(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """Bodies, attributes and SQS's own, for the owner only, whatever a killed save has left; only the file has them."""
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
    """It may be the only copy of something."""
    file.write_text("precious")
    assert run(sqs, tmp_path, "save", str(file)).exit_code == 2
    assert file.read_text() == "precious"


def test_save_that_fails_leaves_no_half_file(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """A file that is there is whole."""
    sqs.failing["receive_message"] = error("RequestThrottled")
    assert run(sqs, tmp_path, "save", str(file)).exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_save_of_nothing_is_nothing_found(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """And no file."""
    assert run(sqs, tmp_path, "save", str(file), "--incident", "incident-9").exit_code == 1
    assert not file.exists()


def test_save_says_what_it_could_not_have(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """Somebody else is reading."""
    sqs.receive_message(QueueUrl=DLQ, MaxNumberOfMessages=2, VisibilityTimeout=60, WaitTimeSeconds=1)
    result = run(sqs, tmp_path, "save", str(file))
    assert result.exit_code == 5
    assert "2 were in flight" in result.stderr
    assert len(file.read_text().splitlines()) == 10


def test_purge_deletes_what_was_saved_and_nothing_else(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """Here what the filter had chosen."""
    run(sqs, tmp_path, "save", str(file), "--reason", "InvalidJson")
    result = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert result.exit_code == 0, result.output
    assert "Deleted 1 dead letter, which" in result.stdout
    assert "Left 11 dead letters that the file does not hold." in result.stdout
    assert "no JSON \x1b" not in sqs.bodies(DLQ)
    assert (len(sqs.queues[DLQ]), sqs.hidden(DLQ)) == (11, 0)


def test_purge_leaves_what_came_later_and_what_has_changed(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """An ID alone is no proof: the file must hold the content."""
    run(sqs, tmp_path, "save", str(file))
    sqs.queues[DLQ][0].body = "changed"
    sqs.queues[DLQ][1].attributes = text_attributes(changed="yes")
    sqs.put("later")
    result = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert result.exit_code == 5
    assert sorted(sqs.bodies(DLQ)) == sorted(["changed", body(1), "later"])
    assert "2 of the file were not deleted, 2 of them because the queue has them with other content" in result.stderr


def test_what_is_gone_already_is_no_failure(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """An earlier purge was killed, or somebody redrove it; a second purge finds nothing."""
    run(sqs, tmp_path, "save", str(file))
    del sqs.queues[DLQ][:3]
    result = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert result.exit_code == 0
    assert "Deleted 9 dead letters" in result.stdout
    assert "3 of the file were not in the queue any more" in result.stdout
    again = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert again.exit_code == 1
    assert "purged or redriven already" in again.stderr


def test_what_somebody_else_is_reading_may_come_back(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """So the purge is not done."""
    run(sqs, tmp_path, "save", str(file))
    sqs.receive_message(QueueUrl=DLQ, MaxNumberOfMessages=2, VisibilityTimeout=60, WaitTimeSeconds=1)
    result = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert result.exit_code == 5
    assert "2 of the file were not deleted; they may be in flight" in result.stderr


@pytest.mark.parametrize("confirm", [(), ("--confirm", "recommendations"), ("--confirm", "")])
def test_purge_needs_the_queues_name(sqs: FakeSqs, tmp_path: Path, file: Path, confirm: tuple[str, ...]) -> None:
    """Without a terminal to type it on, as an option."""
    run(sqs, tmp_path, "save", str(file))
    assert run(sqs, tmp_path, "purge", str(file), *confirm).exit_code == 2
    assert len(sqs.queues[DLQ]) == 12


@pytest.mark.parametrize("content", ["", "{}\n", "no JSON\n", '{"messageId": "m"}\n', "[]\n", "\xff\n"])
def test_purge_takes_no_other_file(sqs: FakeSqs, tmp_path: Path, file: Path, content: str) -> None:
    """Nothing is deleted."""
    file.write_text(content, encoding="latin-1")
    assert run(sqs, tmp_path, "purge", str(file), "--confirm", NAME).exit_code == 2
    assert sqs.calls == []


def test_purge_counts_only_what_is_confirmed(sqs: FakeSqs, tmp_path: Path, file: Path) -> None:
    """An HTTP 200 may carry failed entries."""
    run(sqs, tmp_path, "save", str(file))
    sqs.undeletable.add("dead-3")
    result = run(sqs, tmp_path, "purge", str(file), "--confirm", NAME)
    assert result.exit_code == 5
    assert "Deleted 11 dead letters" in result.stdout


def test_ctrl_c_ends_a_purge_between_two_receives(tmp_path: Path, file: Path) -> None:
    """What is left is given back."""

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
