"""`recs dlq status` and `recs dlq peek`: they inspect the queue and leave it unchanged."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.support.fakes.clock import Clock
from tests.support.fakes.dead_letter_queue import DLQ, FakeSqs, body, error, run, text_attributes

INSPECTIONS = (
    ("status",),
    ("peek",),
    ("peek", "--agent", "consensus"),
    ("status", "-o", "json"),
    ("peek", "-o", "jsonl"),
)


@pytest.fixture
def sqs() -> FakeSqs:
    """Two dead letters that ran out of retries, one of them redriven before, and one that is poison."""
    queues = FakeSqs()
    queues.put(body(1), age=7200)
    queues.put(body(2), {"replayCount": {"DataType": "Number", "StringValue": "2"}}, age=90_000)
    queues.put("no \x1b[2J JSON", text_attributes(failureReason="InvalidJson", failureDetail="body: must be JSON"))
    return queues


@pytest.mark.parametrize("args", INSPECTIONS)
def test_inspection_returns_everything_and_shows_no_content(
    sqs: FakeSqs, tmp_path: Path, args: tuple[str, ...]
) -> None:
    """Every command and format obeys."""
    result = run(sqs, tmp_path, *args)
    assert result.exit_code == 0
    assert (len(sqs.queues[DLQ]), sqs.hidden(DLQ)) == (3, 0)
    assert "secret" not in result.output
    assert "\x1b" not in result.output


def test_status_shows_depth_age_reasons_and_move_tasks(sqs: FakeSqs, tmp_path: Path) -> None:
    """Poison is listed with the outcome of redriving it."""
    printed = run(sqs, tmp_path, "status").stdout
    assert "messages    about 3\n" in printed
    assert "oldest      1d 1h; SQS deletes it in 12d 23h\n" in printed
    assert "move task   unknown (this SQS has no move tasks)\n" in printed
    assert "RetriesExhausted         2   1d 1h\n" in printed
    assert "InvalidJson              1      1h  would fail again (not JSON)\n" in printed
    assert "1 redriven before, at most 2 times." in printed


def test_status_of_a_sample_says_so(sqs: FakeSqs, tmp_path: Path) -> None:
    """It receives no more messages than the sample."""
    result = run(sqs, tmp_path, "status", "--sample", "2")
    assert "from a sample of 2 of about 3 (--sample inspects more)" in result.stderr
    assert sum(stored.receives for stored in sqs.queues[DLQ]) == 2


def test_status_of_an_empty_queue_succeeds(tmp_path: Path) -> None:
    """An empty dead-letter queue is good news."""
    result = run(FakeSqs(), tmp_path, "status")
    assert result.exit_code == 0
    assert "about 0" in result.stdout


def test_status_as_json_is_one_object(sqs: FakeSqs, tmp_path: Path) -> None:
    """Scripts read it."""
    document = json.loads(run(sqs, tmp_path, "status", "-o", "json").stdout)
    assert document["messages"] == document["sampled"] == 3
    assert document["oldestSeconds"] == 90_000
    assert document["reasons"]["InvalidJson"] == {"messages": 1, "oldestSeconds": 3600, "poison": True}
    assert document["moveTasks"] is None


def test_messages_in_flight_are_reported(sqs: FakeSqs, tmp_path: Path) -> None:
    """That nothing can be received does not mean that the queue is empty."""
    sqs.receive_message(QueueUrl=DLQ, MaxNumberOfMessages=10, VisibilityTimeout=60, WaitTimeSeconds=1)
    assert "about 0, 3 in flight (hidden by another reader)" in run(sqs, tmp_path, "status").stdout
    result = run(sqs, tmp_path, "peek")
    assert result.exit_code == 1
    assert (
        "No dead letter is visible in the dead-letter queue recommendations-dlq in us-east-1 (3 in flight,"
        in result.stderr
    )


def test_peek_lists_the_oldest_first(sqs: FakeSqs, tmp_path: Path) -> None:
    """Each entry has the reason, the origin, and the message ID that other tools require."""
    result = run(sqs, tmp_path, "peek")
    assert result.stdout.splitlines() == [
        "1d 1h    RetriesExhausted  incident-7 consensus",
        "         message dead-2, receives: 6, replays: 2",
        "2h       RetriesExhausted  incident-7 consensus",
        "         message dead-1, receives: 6",
        "1h       InvalidJson",
        "         body: must be JSON",
        "         message dead-3, receives: 6",
    ]
    assert "3 of about 3 messages in recommendations-dlq. This cost 3 receives: the receive count of" in result.stderr


def test_peek_as_json_has_ids_and_no_content(sqs: FakeSqs, tmp_path: Path) -> None:
    """A body that is not JSON has no IDs."""
    poison, *rest = json.loads(run(sqs, tmp_path, "peek", "-o", "json", "--newer-than", "3h").stdout)[::-1]
    assert (poison["messageId"], poison["incidentId"], poison["bodyBytes"]) == ("dead-3", None, 12)
    assert [document["recommendationId"] for document in rest] == [
        "rec-incident-7-consensus-2026-01-31T12:00:00.000001Z"
    ]
    assert rest[0]["ageSeconds"] == 7200


def test_peek_applies_its_limit_and_filters(sqs: FakeSqs, tmp_path: Path) -> None:
    """Without filters, it receives no more messages than it shows."""
    assert len(run(sqs, tmp_path, "peek", "--limit", "1", "-o", "jsonl").stdout.splitlines()) == 1
    assert sum(stored.receives for stored in sqs.queues[DLQ]) == 1
    filtered = run(sqs, tmp_path, "peek", "--reason", "InvalidJson", "-o", "jsonl").stdout
    assert json.loads(filtered)["messageId"] == "dead-3"
    nothing = run(sqs, tmp_path, "peek", "--reason", "IdConflict")
    assert nothing.exit_code == 1
    assert "recommendations-dlq in us-east-1 matches the filters (3 inspected)." in nothing.stderr


def test_peek_says_what_a_filter_costs(sqs: FakeSqs, tmp_path: Path) -> None:
    """SQS cannot filter, so messages that do not match were received too."""
    result = run(sqs, tmp_path, "peek", "--reason", "InvalidJson")
    assert "1 of about 3 messages in recommendations-dlq. This cost 3 receives:" in result.stderr


def test_messages_that_cannot_be_returned_are_reported(sqs: FakeSqs, tmp_path: Path) -> None:
    """They become visible again on their own."""
    sqs.failing["change_message_visibility_batch"] = error("InternalError")
    result = run(sqs, tmp_path, "status")
    assert result.exit_code == 0
    assert "3 dead letters stay hidden from others for at most 60 seconds" in result.stderr


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", "There is no dead-letter queue recommendations-dlq"),
        ("AccessDeniedException", "RecommendationRedriveRole"),
    ],
)
def test_errors_name_the_remedy(sqs: FakeSqs, tmp_path: Path, code: str, sentence: str) -> None:
    """They exit with the code for AWS errors."""
    sqs.failing["get_queue_attributes"] = error(code)
    result = run(sqs, tmp_path, "status")
    assert result.exit_code == 3
    assert sentence in result.stderr


@pytest.mark.parametrize("command", ["status", "peek", "redrive"])
def test_queue_must_be_named(tmp_path: Path, command: str) -> None:
    """An option or the environment names it."""
    result = run(FakeSqs(), tmp_path, command, urls=())
    assert result.exit_code == 2
    assert "Pass --dlq-url, or set RECOMMENDATIONS_DLQ_URL" in result.stderr


def test_redrive_requires_both_queues(tmp_path: Path) -> None:
    """It never guesses the destination."""
    result = run(FakeSqs(), tmp_path, "redrive", urls=("--dlq-url", DLQ))
    assert "Pass --queue-url, or set RECOMMENDATIONS_QUEUE_URL" in result.stderr


def test_inspection_ends_even_if_messages_keep_coming_back(tmp_path: Path) -> None:
    """Messages received a second time are not new."""

    class Impatient(Clock):
        def monotonic(self) -> float:
            self.passed += 61  # longer than anything is hidden
            return self.passed

    sqs = FakeSqs(Impatient())
    sqs.put(body(1))
    assert "1 of about 1 message in" in run(sqs, tmp_path, "peek").stderr


@pytest.mark.parametrize("command", ["status", "peek"])
def test_json_lines_and_csv_have_the_same_fields(sqs: FakeSqs, tmp_path: Path, command: str) -> None:
    """There is a record for each dead letter, or for the queue."""
    lines = run(sqs, tmp_path, command, "-o", "jsonl").stdout.splitlines()
    rows = list(csv.DictReader(io.StringIO(run(sqs, tmp_path, command, "-o", "csv").stdout)))
    assert len(rows) == len(lines) > 0
    assert rows[0].keys() == json.loads(lines[0]).keys()
