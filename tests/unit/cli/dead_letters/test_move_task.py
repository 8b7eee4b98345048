"""`recs dlq redrive` of a whole queue by SQS itself: botocore's real client with prepared responses."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.session import Session
from botocore.stub import ANY, Stubber

from recommendation_cli.aws.errors import AwsError
from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.dead_letters.errors import explained_queue
from tests.support.fakes.dead_letter_queue import (
    DLQ,
    DLQ_ARN,
    QUEUE,
    QUEUE_ARN,
    REDRIVE_POLICY,
    Clock,
    body,
    error,
    run,
)

ALL = ["All"]
START = {"SourceArn": DLQ_ARN, "DestinationArn": QUEUE_ARN}
LIST = {"SourceArn": DLQ_ARN, "MaxResults": 10}
RECEIVE = (
    "MaxNumberOfMessages",
    "VisibilityTimeout",
    "WaitTimeSeconds",
    "MessageAttributeNames",
    "MessageSystemAttributeNames",
)
BEFORE = {"Status": "COMPLETED", "StartedTimestamp": 1_000, "ApproximateNumberOfMessagesMoved": 9}


class Native(Stubber):  # type: ignore[misc]  # botocore ships no types
    """SQS as documented, call by call."""

    def __init__(self) -> None:
        self.sqs: Any = boto3.client("sqs", region_name="us-east-1")
        super().__init__(self.sqs)

    def tasks(self, *tasks: dict[str, Any]) -> None:
        """Prepare the response to ListMessageMoveTasks."""
        self.add_response("list_message_move_tasks", {"Results": list(tasks)}, LIST)

    def queues(self) -> None:
        """Prepare the responses to the first calls: both queues, and no active task."""
        depth = {"QueueArn": DLQ_ARN, "ApproximateNumberOfMessages": "500"}
        self.add_response("get_queue_attributes", {"Attributes": depth}, {"QueueUrl": DLQ, "AttributeNames": ALL})
        self.tasks(BEFORE)
        policy = {"QueueArn": QUEUE_ARN, "RedrivePolicy": REDRIVE_POLICY}
        self.add_response("get_queue_attributes", {"Attributes": policy}, {"QueueUrl": QUEUE, "AttributeNames": ALL})

    def inspection(self, *messages: dict[str, Any]) -> None:
        """Prepare the responses to the inspection of what would be moved."""
        if messages:
            self.add_response("receive_message", {"Messages": list(messages)})
        self.add_response("receive_message", {})
        if messages:
            self.add_response("change_message_visibility_batch", {"Successful": [{"Id": "0"}], "Failed": []})

    def start(self, **extra: Any) -> None:
        """Prepare the response to StartMessageMoveTask."""
        self.tasks(BEFORE)
        self.add_response("start_message_move_task", {"TaskHandle": "handle"}, {**START, **extra})


@pytest.fixture
def native() -> Iterator[Native]:
    """A client whose prepared responses must all be used."""
    stubber = Native()
    with stubber:
        yield stubber
        stubber.assert_no_pending_responses()
    stubber.sqs.close()


def _task(status: str, moved: int, **more: Any) -> dict[str, Any]:
    handle = {"TaskHandle": "handle"} if status == "RUNNING" else {}
    return {
        "Status": status,
        "StartedTimestamp": 2_000,
        "ApproximateNumberOfMessagesMoved": moved,
        "ApproximateNumberOfMessagesToMove": 500,
        **handle,
        **more,
    }


def _message(**attributes: str) -> dict[str, Any]:
    return {
        "MessageId": "m",
        "ReceiptHandle": "r",
        "Body": body(),
        "Attributes": {"SentTimestamp": "1000", "ApproximateReceiveCount": "6"},
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    }


@pytest.mark.parametrize(("args", "extra"), [((), {}), (("--rate", "50"), {"MaxNumberOfMessagesPerSecond": 50})])
def test_sqs_moves_the_whole_queue_to_an_explicit_destination(
    native: Native, tmp_path: Path, args: tuple[str, ...], extra: dict[str, int]
) -> None:
    """The task is watched to its end; a list that does not show it yet is not taken for its end."""
    native.queues()
    native.inspection(_message())
    native.start(**extra)
    native.tasks(BEFORE)
    native.tasks(_task("RUNNING", 120), BEFORE)
    native.tasks(_task("COMPLETED", 500), BEFORE)
    clock = Clock()
    result = run(native.sqs, tmp_path, "redrive", "--yes", *args, clock=clock)
    assert result.exit_code == 0, result.output
    assert result.stdout == "SQS moved about 500 dead letters to recommendations.\n"
    assert clock.slept == [1.0, 1.0]


def test_progress_without_a_terminal_is_a_line_every_five_seconds(native: Native, tmp_path: Path) -> None:
    """It goes to stderr."""
    native.queues()
    native.inspection()
    native.start()
    for moved in range(0, 140, 20):
        native.tasks(_task("RUNNING", moved))
    native.tasks(_task("COMPLETED", 500))
    result = run(native.sqs, tmp_path, "redrive", "--yes")
    assert result.stderr == "moved 100 of about 500\n"


def test_dry_run_says_that_sqs_would_move_the_queue(native: Native, tmp_path: Path) -> None:
    """It starts no task."""
    native.queues()
    native.inspection(_message())
    result = run(native.sqs, tmp_path, "redrive")
    assert result.exit_code == 0
    assert "Dry run, nothing was changed: SQS would move the whole queue itself." in result.stderr


def test_poison_rules_out_a_move_by_sqs(native: Native, tmp_path: Path) -> None:
    """SQS would not leave it behind, so messages are moved one by one."""
    native.queues()
    native.inspection(_message(failureReason="InvalidJson"))
    native.inspection(_message(failureReason="InvalidJson"))
    result = run(native.sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == 1
    assert "1 left, InvalidJson" in result.stdout


def test_include_poison_allows_a_move_by_sqs(native: Native, tmp_path: Path) -> None:
    """Then poison is to be moved too."""
    native.queues()
    native.inspection(_message(failureReason="InvalidJson"))
    native.start()
    native.tasks(_task("COMPLETED", 500))
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
    native: Native, tmp_path: Path, status: str, more: dict[str, str], sentence: str
) -> None:
    """It says how many messages were moved."""
    native.queues()
    native.inspection()
    native.start()
    native.tasks(_task(status, 41, **more))
    result = run(native.sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == 5
    assert "SQS moved about 41 dead letters to recommendations" in result.stderr
    assert sentence in result.stderr


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
def test_refused_start_is_reported_with_its_remedy(native: Native, tmp_path: Path, code: str, sentence: str) -> None:
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


@pytest.mark.parametrize("status", ["RUNNING", "CANCELLING"])
@pytest.mark.parametrize("args", [(), ("--yes",), ("--yes", "--limit", "1")])
def test_nothing_is_started_while_a_move_is_active(
    native: Native, tmp_path: Path, status: str, args: tuple[str, ...]
) -> None:
    """SQS allows one move for each source, and no filter would see the messages that it moves."""
    native.add_response("get_queue_attributes", {"Attributes": {"QueueArn": DLQ_ARN}})
    native.tasks(_task(status, 1))
    native.add_response(
        "get_queue_attributes", {"Attributes": {"QueueArn": QUEUE_ARN, "RedrivePolicy": REDRIVE_POLICY}}
    )
    result = run(native.sqs, tmp_path, "redrive", *args)
    assert result.exit_code == 3
    assert "is already running: `recs dlq status` shows its progress" in result.stderr


def test_limit_rules_out_a_move_by_sqs(native: Native, tmp_path: Path) -> None:
    """A move task has no limit."""
    native.queues()
    native.add_response("receive_message", {})
    assert run(native.sqs, tmp_path, "redrive", "--yes", "--limit", "5").exit_code == 1


def _interrupting(native: Native, tmp_path: Path) -> Any:
    """Run a redrive in which Ctrl-C is pressed during its first wait."""

    class Pressed(Clock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.slept) == 1:
                signal.raise_signal(signal.SIGINT)

    return run(native.sqs, tmp_path, "redrive", "--yes", clock=Pressed())


def test_ctrl_c_cancels_the_move_and_says_what_was_moved(native: Native, tmp_path: Path) -> None:
    """SQS does not cancel at once, so the task is watched until it has ended."""
    native.queues()
    native.inspection()
    native.start()
    native.tasks(_task("RUNNING", 100))
    native.tasks(_task("RUNNING", 110))
    native.add_response("cancel_message_move_task", {"ApproximateNumberOfMessagesMoved": 110}, {"TaskHandle": "handle"})
    native.tasks(_task("CANCELLING", 115))
    native.tasks(_task("CANCELLED", 117))
    result = _interrupting(native, tmp_path)
    assert result.exit_code == 130
    assert "SQS moved about 117 dead letters to recommendations, then the move was cancelled" in result.stderr
    assert "Cancelling the move" in result.stderr


def test_ctrl_c_after_the_end_of_the_move_succeeds(native: Native, tmp_path: Path) -> None:
    """There is nothing left to cancel."""
    native.queues()
    native.inspection()
    native.start()
    native.tasks(_task("RUNNING", 490))
    native.tasks(_task("RUNNING", 500))
    native.add_client_error("cancel_message_move_task", "ResourceNotFoundException")
    native.tasks(_task("COMPLETED", 500))
    assert _interrupting(native, tmp_path).exit_code == 0


def test_refused_cancellation_is_reported(native: Native, tmp_path: Path) -> None:
    """The move continues, and the operator must know."""
    native.queues()
    native.inspection()
    native.start()
    native.tasks(_task("RUNNING", 100))
    native.tasks(_task("RUNNING", 110))
    native.add_client_error("cancel_message_move_task", "AccessDenied", "no CancelMessageMoveTask")
    result = _interrupting(native, tmp_path)
    assert result.exit_code == 3
    assert "no CancelMessageMoveTask" in result.stderr


def test_status_shows_the_move(native: Native, tmp_path: Path) -> None:
    """It shows the active move, or else how the last one ended."""
    for task, line in (
        (_task("RUNNING", 120, DestinationArn=QUEUE_ARN), "RUNNING: 120 of about 500 moved to recommendations"),
        (_task("FAILED", 1, FailureReason="\x1b"), r"FAILED (\x1b): 1 of about 500 moved to their source queues"),
    ):
        depth = {"QueueArn": DLQ_ARN, "ApproximateNumberOfMessages": "0"}
        native.add_response("get_queue_attributes", {"Attributes": depth})
        native.tasks(task, BEFORE)
        native.add_response("receive_message", {}, {**dict.fromkeys(RECEIVE, ANY), "QueueUrl": DLQ})
        assert line in run(native.sqs, tmp_path, "status").stdout
