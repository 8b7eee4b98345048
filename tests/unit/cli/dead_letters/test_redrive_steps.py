"""`recs dlq redrive`, step by step: what it sends, records and deletes, and how it stops."""

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes.dead_letter_queue import DLQ, QUEUE, FakeSqs, body, error, journal_lines, run, text_attributes

INVALID = text_attributes(failureReason="InvalidJson", failureDetail="body: must be JSON")


@pytest.fixture
def sqs() -> FakeSqs:
    """Two empty queues."""
    return FakeSqs()


@pytest.mark.parametrize("fault", ["refused", "unconfirmed"])
def test_only_confirmed_messages_are_deleted(sqs: FakeSqs, tmp_path: Path, fault: str) -> None:
    """A response with HTTP 200 may list failed entries, and may not mention some at all."""
    texts = [body(number) for number in range(12)]
    for text in texts:
        sqs.put(text)
    getattr(sqs, fault).update({texts[3], texts[11]})
    result = run(sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == 5
    assert sqs.bodies(DLQ) == [texts[3], texts[11]]
    assert "Run the same command again" in result.stderr
    getattr(sqs, fault).clear()
    again = run(sqs, tmp_path, "redrive", "--yes")
    assert again.exit_code == 0
    assert ("2 of them may also have been sent by an interrupted run" in again.stdout) == (fault == "unconfirmed")
    assert sqs.bodies(DLQ) == []


def test_next_run_only_deletes_what_was_sent_but_not_deleted(sqs: FakeSqs, tmp_path: Path) -> None:
    """The journal says that it was sent."""
    stuck = sqs.put(body(1))
    sqs.put(body(2))
    sqs.undeletable.add(stuck)
    first = run(sqs, tmp_path, "redrive", "--yes")
    assert first.exit_code == 5
    assert "1 sent, but not deleted yet" in first.stdout
    sqs.undeletable.clear()
    second = run(sqs, tmp_path, "redrive", "--yes")
    assert second.exit_code == 0
    assert "1 sent by an earlier run: not sent again" in second.stdout
    assert sorted(sqs.bodies(QUEUE)) == sorted([body(1), body(2)])
    assert sqs.bodies(DLQ) == []


def test_unconfirmed_deletions_of_an_earlier_run_are_settled(sqs: FakeSqs, tmp_path: Path) -> None:
    """A run that has seen everything records them; otherwise SQS could never move the whole queue again."""
    sqs.put(body(1))
    sqs.failing["delete_message_batch"] = error("InternalError")
    assert run(sqs, tmp_path, "redrive", "--yes").exit_code == 3
    sqs.failing.clear()
    sqs.queues[DLQ].clear()  # the response was lost, not the deletion
    sqs.put(body(2))
    assert run(sqs, tmp_path, "redrive", "--yes").exit_code == 0
    assert journal_lines(tmp_path)[-1] == {"event": "deleted", "ids": ["dead-1"]}


def test_journal_holds_no_content_and_is_private(sqs: FakeSqs, tmp_path: Path) -> None:
    """It records IDs only: `sending`, `sent` and `deleted`, in this order."""
    sqs.put(body(1))
    run(sqs, tmp_path, "redrive", "--yes")
    lines = journal_lines(tmp_path)
    assert [line["event"] for line in lines] == ["run", "sending", "sent", "deleted"]
    assert lines[2]["ids"] == {"dead-1": "new-2"}
    assert "secret" not in json.dumps(lines)
    (path,) = Path(tmp_path, "recs").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_journal_is_written_before_each_step(tmp_path: Path) -> None:
    """A crash at any moment leaves a record of what was done."""
    events: list[tuple[str, list[str]]] = []

    class Watched(FakeSqs):
        def record_call(self, name: str, parameters: Mapping[str, Any]) -> str:
            if name in {"send_message_batch", "delete_message_batch"}:
                events.append((name, [line["event"] for line in journal_lines(tmp_path)]))
            return super().record_call(name, parameters)

    sqs = Watched()
    sqs.put(body(1))
    run(sqs, tmp_path, "redrive", "--yes")
    assert events == [
        ("send_message_batch", ["run", "sending"]),
        ("delete_message_batch", ["run", "sending", "sent"]),
    ]


def test_ctrl_c_stops_after_the_current_batch(tmp_path: Path) -> None:
    """That batch is finished, all other messages are returned, and the counts are printed."""

    class Interrupted(FakeSqs):
        def send_message_batch(self, **parameters: Any) -> Mapping[str, Any]:
            signal.raise_signal(signal.SIGINT)
            return super().send_message_batch(**parameters)

    sqs = Interrupted()
    for number in range(25):
        sqs.put(body(number))
    result = run(sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == 130
    assert "Redriven 10 dead letters" in result.stdout
    assert "Interrupted. The rest is still in recommendations-dlq." in result.stderr
    assert (len(sqs.queues[QUEUE]), len(sqs.queues[DLQ]), sqs.hidden(DLQ)) == (10, 15, 0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    """It loses nothing either."""

    class Impatient(FakeSqs):
        def send_message_batch(self, **parameters: Any) -> Mapping[str, Any]:
            super().send_message_batch(**parameters)
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            raise AssertionError

    sqs = Impatient()
    sqs.put(body(1))
    assert run(sqs, tmp_path, "redrive", "--yes").exit_code == 130
    assert (sqs.bodies(DLQ), sqs.bodies(QUEUE)) == ([body(1)], [body(1)])
    assert journal_lines(tmp_path)[-1]["event"] == "sending"


def test_error_during_a_redrive_reports_what_was_done(sqs: FakeSqs, tmp_path: Path) -> None:
    """Messages that were not sent are returned."""
    sqs.put(body(1))
    sqs.failing["send_message_batch"] = error("AccessDenied", message="not authorized: \x1b[2J")
    result = run(sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == 3
    assert "Redriven 0 dead letters" in result.stdout
    assert r"RecommendationRedriveRole. SQS says: not authorized: \x1b[2J" in result.stderr
    assert sqs.hidden(DLQ) == 0


def test_error_while_returning_messages_does_not_replace_the_first(sqs: FakeSqs, tmp_path: Path) -> None:
    """The messages become visible again on their own."""
    sqs.put(body(1))
    sqs.failing["send_message_batch"] = error("RequestThrottled")
    sqs.failing["change_message_visibility_batch"] = error("InternalError")
    result = run(sqs, tmp_path, "redrive", "--limit", "1", "--yes")
    assert "is throttling calls" in result.stderr
    assert "1 dead letter stays hidden from others for at most 60 seconds" in result.stderr
