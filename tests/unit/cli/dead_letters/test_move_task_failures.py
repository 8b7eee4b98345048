"""`recs dlq redrive` of a whole queue by SQS itself: refusals, cancellations and their remedies."""

import signal
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from recommendation_cli.aws.errors import AwsError
from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.dead_letters.errors import explained_queue
from tests.support.fakes.clock import Clock
from tests.support.fakes.dead_letter_queue import (
    DLQ,
    error,
    run,
)
from tests.support.fakes.stubbed_sqs import BEFORE, START, StubbedSqs, move_task


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "ResourceNotFoundException",
            "There is no dead-letter queue recommendations-dlq in us-east-1: check",
        ),
        ("UnsupportedOperation", "add a filter or --limit to move them one by one. SQS says: as it says"),
        ("AWS.SimpleQueueService.UnsupportedOperation", "add a filter or --limit"),
        ("InvalidAddress", "is in another region or account than was called: check --dlq-url and --region"),
        ("InvalidSecurity", "use an https --endpoint-url"),
        ("RequestThrottled", "is throttling calls: try again"),
        ("AccessDenied", "assume RecommendationRedriveRole"),
        ("KmsAccessDenied", "KMS key cannot be used (KmsAccessDenied)"),
        ("OverLimit", "Too many messages"),
        ("ExpiredToken", "credentials have expired"),
        ("InternalError", "SQS refused the call"),
    ],
)
def test_refused_start_is_reported_with_its_remedy(
    native: StubbedSqs, tmp_path: Path, code: str, sentence: str
) -> None:
    """Every error that the API reference documents is covered, and the usual ones, in one line each."""
    native.queues()
    native.inspection()
    native.tasks(BEFORE)
    native.add_client_error("start_message_move_task", code, "as it says", expected_params=START)
    result = run(native.sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == 3
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (operation, shape.name)
        for model in [Session().get_service_model("sqs")]
        for operation in ("StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask")
        for shape in model.operation_model(operation).error_shapes
    ],
)
def test_every_error_of_the_service_model_has_a_specific_remedy(operation: str, code: str) -> None:
    """None of the errors that AWS publishes gets the sentence for unknown errors."""
    with pytest.raises(AwsError) as refused, explained_queue(QueueTarget(DLQ, "dead-letter queue", "--dlq-url")):
        raise error(code, operation)
    assert "SQS refused the call" not in refused.value.message
    assert refused.value.message.endswith(".") or refused.value.message.endswith("as it says")


def _interrupting(native: StubbedSqs, tmp_path: Path) -> Any:
    """Run a redrive in which Ctrl-C is pressed during its first wait."""

    class Pressed(Clock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.slept) == 1:
                signal.raise_signal(signal.SIGINT)

    # Python ignores Ctrl-C if its parent did, as a shell does for `nohup pytest &`.
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return run(native.sqs, tmp_path, "redrive", "--yes", clock=Pressed())
    finally:
        signal.signal(signal.SIGINT, previous)


def test_ctrl_c_cancels_the_move_and_says_what_was_moved(native: StubbedSqs, tmp_path: Path) -> None:
    """SQS does not cancel at once, so the task is watched until it has ended."""
    native.queues()
    native.inspection()
    native.start()
    native.tasks(move_task("RUNNING", 100))
    native.tasks(move_task("RUNNING", 110))
    native.add_response("cancel_message_move_task", {"ApproximateNumberOfMessagesMoved": 110}, {"TaskHandle": "handle"})
    native.tasks(move_task("CANCELLING", 115))
    native.tasks(move_task("CANCELLED", 117))
    result = _interrupting(native, tmp_path)
    assert result.exit_code == 130
    assert "SQS moved about 117 dead letters to recommendations, then the move was cancelled" in result.stderr
    assert "Cancelling the move" in result.stderr


def test_ctrl_c_after_the_end_of_the_move_succeeds(native: StubbedSqs, tmp_path: Path) -> None:
    """There is nothing left to cancel."""
    native.queues()
    native.inspection()
    native.start()
    native.tasks(move_task("RUNNING", 490))
    native.tasks(move_task("RUNNING", 500))
    native.add_client_error("cancel_message_move_task", "ResourceNotFoundException")
    native.tasks(move_task("COMPLETED", 500))
    assert _interrupting(native, tmp_path).exit_code == 0


def test_refused_cancellation_is_reported(native: StubbedSqs, tmp_path: Path) -> None:
    """The move continues, and the operator must know."""
    native.queues()
    native.inspection()
    native.start()
    native.tasks(move_task("RUNNING", 100))
    native.tasks(move_task("RUNNING", 110))
    native.add_client_error("cancel_message_move_task", "AccessDenied", "no CancelMessageMoveTask")
    result = _interrupting(native, tmp_path)
    assert result.exit_code == 3
    assert "no CancelMessageMoveTask" in result.stderr
