"""`recs dlq status` and `recs dlq peek`: they look, and leave everything as it was."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.support.fakes.dead_letter_queue import DLQ, Clock, FakeSqs, body, error, run, text_attributes

LOOKS = (("status",), ("peek",), ("peek", "--agent", "consensus"), ("status", "-o", "json"), ("peek", "-o", "jsonl"))


@pytest.fixture
def sqs() -> FakeSqs:
    """Two that ran out of retries, one of them redriven before, and one poison."""
    made = FakeSqs()
    made.put(body(1), age=7200)
    made.put(body(2), {"replayCount": {"DataType": "Number", "StringValue": "2"}}, age=90_000)
    made.put("no \x1b[2J JSON", text_attributes(failureReason="InvalidJson", failureDetail="body: must be JSON"))
    return made


@pytest.mark.parametrize("args", LOOKS)
def test_a_look_gives_everything_back_and_shows_no_content(sqs: FakeSqs, tmp_path: Path, args: tuple[str, ...]) -> None:
    """In every form."""
    result = run(sqs, tmp_path, *args)
    assert result.exit_code == 0
    assert (len(sqs.queues[DLQ]), sqs.hidden(DLQ)) == (3, 0)
    assert "secret" not in result.output
    assert "\x1b" not in result.output


def test_status_has_depth_age_reasons_and_tasks(sqs: FakeSqs, tmp_path: Path) -> None:
    """Poison with what would come of it."""
    printed = run(sqs, tmp_path, "status").stdout
    assert "messages    about 3\n" in printed
    assert "oldest      1d 1h; SQS deletes it in 12d 23h\n" in printed
    assert "move task   unknown: this SQS has no move tasks\n" in printed
    assert "RetriesExhausted         2   1d 1h\n" in printed
    assert "InvalidJson              1      1h  would come back: not JSON\n" in printed
    assert "1 redriven before, 2 times at most." in printed


def test_a_sample_is_called_one(sqs: FakeSqs, tmp_path: Path) -> None:
    """And holds no more than that."""
    result = run(sqs, tmp_path, "status", "--sample", "2")
    assert "of a sample, 2 of about 3 (--sample looks at more)" in result.stderr
    assert sum(stored.receives for stored in sqs.queues[DLQ]) == 2


def test_an_empty_queue_is_good_news(tmp_path: Path) -> None:
    """Not an error."""
    result = run(FakeSqs(), tmp_path, "status")
    assert result.exit_code == 0
    assert "about 0" in result.stdout


def test_status_as_json(sqs: FakeSqs, tmp_path: Path) -> None:
    """For alarms and scripts."""
    document = json.loads(run(sqs, tmp_path, "status", "-o", "json").stdout)
    assert document["messages"] == document["sampled"] == 3
    assert document["oldestSeconds"] == 90_000
    assert document["reasons"]["InvalidJson"] == {"messages": 1, "oldestSeconds": 3600, "poison": True}
    assert document["moveTasks"] is None


def test_what_others_hide_is_said(sqs: FakeSqs, tmp_path: Path) -> None:
    """An empty look is no empty queue."""
    sqs.receive_message(QueueUrl=DLQ, MaxNumberOfMessages=10, VisibilityTimeout=60, WaitTimeSeconds=1)
    assert "about 0, 3 in flight (hidden by another reader)" in run(sqs, tmp_path, "status").stdout
    result = run(sqs, tmp_path, "peek")
    assert result.exit_code == 1
    assert "(3 are in flight, hidden by another reader)" in result.stderr


def test_peek_shows_the_oldest_first(sqs: FakeSqs, tmp_path: Path) -> None:
    """Reason, whose, and the IDs that other tools want."""
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
    assert "3 dead letters of about 3 in recommendations-dlq" in result.stderr


def test_peek_as_json_has_ids_and_no_content(sqs: FakeSqs, tmp_path: Path) -> None:
    """A body that is no JSON has no IDs."""
    poison, *rest = json.loads(run(sqs, tmp_path, "peek", "-o", "json", "--newer-than", "3h").stdout)[::-1]
    assert (poison["messageId"], poison["incidentId"], poison["bodyBytes"]) == ("dead-3", None, 12)
    assert [one["recommendationId"] for one in rest] == ["rec-incident-7-consensus-2026-01-31T12:00:00.000001Z"]
    assert rest[0]["ageSeconds"] == 7200


def test_peek_keeps_its_limit_and_filters(sqs: FakeSqs, tmp_path: Path) -> None:
    """It receives no more than it needs when nothing is filtered."""
    assert len(run(sqs, tmp_path, "peek", "--limit", "1", "-o", "jsonl").stdout.splitlines()) == 1
    assert sum(stored.receives for stored in sqs.queues[DLQ]) == 1
    found = run(sqs, tmp_path, "peek", "--reason", "InvalidJson", "-o", "jsonl").stdout
    assert json.loads(found)["messageId"] == "dead-3"
    nothing = run(sqs, tmp_path, "peek", "--reason", "IdConflict")
    assert nothing.exit_code == 1
    assert "that the filters let pass among 3" in nothing.stderr


def test_messages_that_cannot_be_given_back_are_said(sqs: FakeSqs, tmp_path: Path) -> None:
    """They come back by themselves."""
    sqs.failing["change_message_visibility_batch"] = error("InternalError")
    result = run(sqs, tmp_path, "status")
    assert result.exit_code == 0
    assert "3 dead letters stay hidden from others for 60 seconds at most" in result.stderr


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", "There is no dead-letter queue recommendations-dlq"),
        ("AccessDeniedException", "RecommendationRedriveRole"),
    ],
)
def test_errors_name_the_remedy(sqs: FakeSqs, tmp_path: Path, code: str, sentence: str) -> None:
    """With AWS's exit code."""
    sqs.failing["get_queue_attributes"] = error(code)
    result = run(sqs, tmp_path, "status")
    assert result.exit_code == 3
    assert sentence in result.stderr


@pytest.mark.parametrize("command", ["status", "peek", "redrive"])
def test_a_queue_must_be_named(tmp_path: Path, command: str) -> None:
    """By option or environment."""
    result = run(FakeSqs(), tmp_path, command, urls=())
    assert result.exit_code == 2
    assert "Pass --dlq-url, or set RECOMMENDATIONS_DLQ_URL" in result.stderr


def test_a_redrive_needs_both_queues(tmp_path: Path) -> None:
    """It never guesses a destination."""
    result = run(FakeSqs(), tmp_path, "redrive", urls=("--dlq-url", DLQ))
    assert "Pass --queue-url, or set RECOMMENDATIONS_QUEUE_URL" in result.stderr


def test_a_queue_that_never_empties_ends_a_look(tmp_path: Path) -> None:
    """What comes round again brings nothing new."""

    class Impatient(Clock):
        def monotonic(self) -> float:
            self.passed += 61  # longer than anything is hidden
            return self.passed

    sqs = FakeSqs(Impatient())
    sqs.put(body(1))
    assert "1 dead letter of about 1" in run(sqs, tmp_path, "peek").stderr


@pytest.mark.parametrize("command", ["status", "peek"])
def test_what_is_found_comes_as_lines_and_cells_too(sqs: FakeSqs, tmp_path: Path, command: str) -> None:
    """With the same fields in all of them."""
    lines = run(sqs, tmp_path, command, "-o", "jsonl").stdout.splitlines()
    rows = list(csv.DictReader(io.StringIO(run(sqs, tmp_path, command, "-o", "csv").stdout)))
    assert len(rows) == len(lines) > 0
    assert rows[0].keys() == json.loads(lines[0]).keys()
