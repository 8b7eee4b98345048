"""`recs dlq redrive` of a whole queue by SQS itself: botocore's real client with prepared responses."""

from pathlib import Path

import pytest
from botocore.stub import ANY

from tests.support.fakes.clock import Clock
from tests.support.fakes.dead_letter_queue import (
    DLQ,
    QUEUE_ARN,
    run,
)
from tests.support.fakes.stubbed_sqs import BEFORE, RECEIVE, StubbedSqs, move_task, received_message


@pytest.mark.parametrize(("args", "extra"), [((), {}), (("--rate", "50"), {"MaxNumberOfMessagesPerSecond": 50})])
def test_sqs_moves_the_whole_queue_to_an_explicit_destination(
    native: StubbedSqs, tmp_path: Path, args: tuple[str, ...], extra: dict[str, int]
) -> None:
    """The task is watched to its end; a list that does not show it yet is not taken for its end."""
    native.queues()
    native.inspection(received_message())
    native.start(**extra)
    native.tasks(BEFORE)
    native.tasks(move_task("RUNNING", 120), BEFORE)
    native.tasks(move_task("COMPLETED", 500), BEFORE)
    clock = Clock()
    result = run(native.sqs, tmp_path, "redrive", "--yes", *args, clock=clock)
    assert result.exit_code == 0, result.output
    assert result.stdout == "SQS moved about 500 dead letters to recommendations.\n"
    assert clock.slept == [1.0, 1.0]


def test_progress_without_a_terminal_is_a_line_every_five_seconds(native: StubbedSqs, tmp_path: Path) -> None:
    """It goes to stderr."""
    native.queues()
    native.inspection()
    native.start()
    for moved in range(0, 140, 20):
        native.tasks(move_task("RUNNING", moved))
    native.tasks(move_task("COMPLETED", 500))
    result = run(native.sqs, tmp_path, "redrive", "--yes")
    assert result.stderr == "moved 100 of about 500\n"


def test_dry_run_says_that_sqs_would_move_the_queue(native: StubbedSqs, tmp_path: Path) -> None:
    """It starts no task."""
    native.queues()
    native.inspection(received_message())
    result = run(native.sqs, tmp_path, "redrive")
    assert result.exit_code == 0
    assert "Dry run, nothing was changed: SQS would move the whole queue itself." in result.stderr


def test_poison_rules_out_a_move_by_sqs(native: StubbedSqs, tmp_path: Path) -> None:
    """SQS would not leave it behind, so messages are moved one by one."""
    native.queues()
    native.inspection(received_message(failureReason="InvalidJson"))
    native.inspection(received_message(failureReason="InvalidJson"))
    result = run(native.sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == 1
    assert "1 left, InvalidJson" in result.stdout


def test_include_poison_allows_a_move_by_sqs(native: StubbedSqs, tmp_path: Path) -> None:
    """SQS then moves poison too."""
    native.queues()
    native.inspection(received_message(failureReason="InvalidJson"))
    native.start()
    native.tasks(move_task("COMPLETED", 500))
    assert run(native.sqs, tmp_path, "redrive", "--yes", "--include-poison").exit_code == 0


@pytest.mark.parametrize(
    ("status", "more", "sentence"),
    [
        ("FAILED", {"FailureReason": "CouldNotDetermineMessageSource"}, "failed (CouldNotDetermineMessageSource)."),
        ("FAILED", {"FailureReason": "AccessDenied"}, "failed (AccessDenied)."),
        ("FAILED", {}, "failed (SQS gives no reason)."),
        ("CANCELLED", {}, "then the move was cancelled. The rest is still in recommendations-dlq"),
    ],
)
def test_move_that_did_not_finish_exits_with_5(
    native: StubbedSqs, tmp_path: Path, status: str, more: dict[str, str], sentence: str
) -> None:
    """It says how many messages were moved."""
    native.queues()
    native.inspection()
    native.start()
    native.tasks(move_task(status, 41, **more))
    result = run(native.sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == 5
    assert "SQS moved about 41 dead letters to recommendations" in result.stderr
    assert sentence in result.stderr


@pytest.mark.parametrize("status", ["RUNNING", "CANCELLING"])
@pytest.mark.parametrize("args", [(), ("--yes",), ("--yes", "--limit", "1")])
def test_nothing_is_started_while_a_move_is_active(
    native: StubbedSqs, tmp_path: Path, status: str, args: tuple[str, ...]
) -> None:
    """SQS allows one move for each source, and no filter would see the messages that it moves."""
    native.queues(move_task(status, 1))
    result = run(native.sqs, tmp_path, "redrive", *args)
    assert result.exit_code == 3
    assert "is already running: `recs dlq status` shows its progress" in result.stderr


@pytest.mark.parametrize(("moved", "code"), [(500, 5), (510, 0)])
def test_a_move_that_leaves_messages_in_flight_is_incomplete(
    native: StubbedSqs, tmp_path: Path, moved: int, code: int
) -> None:
    """SQS moves what is visible; what another reader held when the move began may have come back too late."""
    native.queues(in_flight=10)
    native.inspection()
    native.start()
    native.tasks(move_task("COMPLETED", moved))
    result = run(native.sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == code
    assert f"SQS moved about {moved} dead letters" in result.stdout
    assert ("10 messages in flight" in result.stderr) == (code == 5)


def test_limit_rules_out_a_move_by_sqs(native: StubbedSqs, tmp_path: Path) -> None:
    """A move task has no limit."""
    native.queues()
    native.add_response("receive_message", {})
    assert run(native.sqs, tmp_path, "redrive", "--yes", "--limit", "5").exit_code == 1


def test_status_shows_the_move(native: StubbedSqs, tmp_path: Path) -> None:
    """It shows the active move, or else how the last one ended."""
    for task, line in (
        (move_task("RUNNING", 120, DestinationArn=QUEUE_ARN), "RUNNING: 120 of about 500 moved to recommendations"),
        (move_task("FAILED", 1, FailureReason="\x1b"), r"FAILED (\x1b): 1 of about 500 moved to their source queues"),
    ):
        native.dead_letters(messages=0)
        native.tasks(task, BEFORE)
        native.add_response("receive_message", {}, {**dict.fromkeys(RECEIVE, ANY), "QueueUrl": DLQ})
        assert line in run(native.sqs, tmp_path, "status").stdout
