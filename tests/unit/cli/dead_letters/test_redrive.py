"""`recs dlq redrive`, message by message."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recommendation_cli.dead_letters.letter import POISON_OUTCOMES
from recommendation_shared.envelope.identity import sort_key
from recommendation_shared.queue.dead_letter import POISON
from tests.support.fakes.dead_letter_queue import DLQ, QUEUE, REDRIVE_POLICY, FakeSqs, body, run, text_attributes
from tests.support.fakes.recommendation_table import NOW

INVALID = text_attributes(failureReason="InvalidJson", failureDetail="body: must be JSON")


@pytest.fixture
def sqs() -> FakeSqs:
    """Two empty queues."""
    return FakeSqs()


def test_dry_run_changes_nothing(sqs: FakeSqs, tmp_path: Path) -> None:
    """It sends, deletes and hides nothing, writes no journal, and says what would happen."""
    sqs.put(body(1))
    sqs.put("no JSON", INVALID)
    result = run(sqs, tmp_path, "redrive")
    assert result.exit_code == 0
    assert "RetriesExhausted         1      1h  moved to recommendations" in result.stdout
    assert "left: would fail again (not JSON)" in result.stdout
    assert "Dry run, nothing was changed: 1 dead letter would be moved one by one" in result.stderr
    assert not {"send_message_batch", "delete_message_batch"} & set(sqs.calls)
    assert (len(sqs.queues[DLQ]), sqs.hidden(DLQ)) == (2, 0)
    assert list(tmp_path.iterdir()) == []


def test_dry_run_inspects_at_most_a_thousand_messages(sqs: FakeSqs, tmp_path: Path) -> None:
    """It must not hide a large queue from other readers, and says that it saw only a sample."""
    for number in range(1005):
        sqs.put(body(number))
    result = run(sqs, tmp_path, "redrive")
    assert "about 1,005 messages, 1,000 of them inspected" in result.stdout
    assert "1,000 dead letters of those inspected would be moved" in result.stderr


def test_redrive_keeps_attributes_and_counts_the_replay(sqs: FakeSqs, tmp_path: Path) -> None:
    """Binary attributes and the trace header are kept too."""
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
    attributes = {**text_attributes(team="sre"), "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    sqs.put(body(1), attributes, AWSTraceHeader=trace)
    sqs.put(body(2), {"replayCount": {"DataType": "Number", "StringValue": "2"}})
    sqs.put(body(3), {"replayCount": {"DataType": "String", "StringValue": "many"}})
    result = run(sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == 0, result.output
    assert "Redriven 3 dead letters to recommendations." in result.stdout
    assert sqs.bodies(DLQ) == []
    first, second, third = sqs.queues[QUEUE]
    assert first.attributes == {**attributes, "replayCount": {"DataType": "Number", "StringValue": "1"}}
    assert first.system == {"AWSTraceHeader": trace}
    assert second.attributes["replayCount"]["StringValue"] == "3"
    assert third.attributes["replayCount"]["StringValue"] == "1"


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        (body(1), text_attributes(**{f"name-{n}": "value" for n in range(10)})),
        ("x" * 1_048_560, text_attributes(n="")),  # 1 MiB with its attribute, less nine bytes
    ],
)
def test_replay_counter_without_room_is_left_out(
    sqs: FakeSqs, tmp_path: Path, text: str, attributes: Mapping[str, Any]
) -> None:
    """The message's own attributes take precedence within SQS's limits of ten attributes and 1 MiB."""
    sqs.put(text, attributes)
    result = run(sqs, tmp_path, "redrive", "--yes")
    assert sqs.queues[QUEUE][0].attributes == attributes
    assert "1 of them without a replay counter" in result.stdout


def test_requests_stay_within_1_mib(sqs: FakeSqs, tmp_path: Path) -> None:
    """SQS counts bytes of UTF-8, which the fake asserts."""
    for number in range(4):
        sqs.put(f"{number}" + "é" * 200_000)
    assert run(sqs, tmp_path, "redrive", "--yes").exit_code == 0
    assert sqs.sent_batches == [2, 2]


@pytest.mark.parametrize(
    ("args", "moved"),
    [
        (["--reason", "IdMismatch"], {2}),
        (["--reason", "RetriesExhausted"], {0, 1, 3}),
        (["--reason", "RetriesExhausted", "--reason", "IdMismatch"], {0, 1, 2, 3}),
        (["--incident", "incident-8"], {1}),
        (["--agent", "knowledge-rag"], {3}),
        (["--older-than", "2h"], {3}),
        (["--newer-than", "2h"], {0, 1}),
        (["--older-than", sort_key(NOW - timedelta(hours=2)), "--newer-than", "1d"], {3}),
        (["--incident", "incident-7", "--include-poison"], {0, 2, 3}),
    ],
)
def test_filters_choose_what_is_moved(sqs: FakeSqs, tmp_path: Path, args: list[str], moved: set[int]) -> None:
    """The other messages are returned at once."""
    texts = [body(0), body(1, incident_id="incident-8"), body(2), body(3, agent_type="knowledge-rag")]
    sqs.put(texts[0])
    sqs.put(texts[1])
    sqs.put(texts[2], text_attributes(failureReason="IdMismatch"))
    sqs.put(texts[3], age=7200.5)
    sqs.put("no JSON", INVALID)
    assert run(sqs, tmp_path, "redrive", "--yes", *args).exit_code == 0
    assert {texts.index(text) for text in sqs.bodies(QUEUE)} == moved
    assert len(sqs.queues[DLQ]) == 5 - len(moved)
    assert sqs.hidden(DLQ) == 0


def test_every_kind_of_poison_has_an_outcome() -> None:
    """A new reason in the consumer must not count as retryable here."""
    assert POISON_OUTCOMES.keys() == set(POISON)


def test_poison_is_left_unless_asked_for(sqs: FakeSqs, tmp_path: Path) -> None:
    """Its reason asks for one kind of poison, --include-poison for all of it."""
    sqs.put("no JSON", INVALID)
    for args in ([], ["--yes"]):
        refused = run(sqs, tmp_path, "redrive", *args)
        assert refused.exit_code == 1
        assert (
            "1 left, InvalidJson" in refused.stdout
            or "Only poison could be redriven from recommendations-dlq: fix the cause" in refused.stderr
        )
        assert sqs.bodies(QUEUE) == []
    dry = run(sqs, tmp_path, "redrive", "--reason", "InvalidJson")
    assert "moved, but would fail again (not JSON)" in dry.stdout
    assert run(sqs, tmp_path, "redrive", "--include-poison", "--yes").exit_code == 0
    assert sqs.bodies(QUEUE) == ["no JSON"]


def test_limit_is_never_exceeded(sqs: FakeSqs, tmp_path: Path) -> None:
    """It also holds within one receive, and the rest is returned."""
    for number in range(25):
        sqs.put(body(number))
    assert "12 dead letters would be moved" in run(sqs, tmp_path, "redrive", "--limit", "12").stderr
    assert run(sqs, tmp_path, "redrive", "--limit", "12", "--yes").exit_code == 0
    assert (len(sqs.queues[QUEUE]), len(sqs.queues[DLQ]), sqs.hidden(DLQ)) == (12, 13, 0)


@pytest.mark.parametrize("rate", [1, 4, 500])
def test_rate_is_never_exceeded(sqs: FakeSqs, tmp_path: Path, rate: int) -> None:
    """Six messages at 1 a second take five seconds, and no batch is larger than the rate."""
    for number in range(6):
        sqs.put(body(number))
    assert run(sqs, tmp_path, "redrive", "--rate", str(rate), "--yes").exit_code == 0
    assert max(sqs.sent_batches) <= rate
    assert sum(sqs.sent_batches) == 6
    assert sqs.clock.passed == pytest.approx((6 - sqs.sent_batches[-1]) / rate)


def test_slow_redrive_is_not_ended_by_messages_that_come_back(sqs: FakeSqs, tmp_path: Path) -> None:
    """Poison whose hold has passed is received again during a slow run."""
    for number in range(40):
        sqs.put("no JSON", INVALID)
        sqs.put(body(number))
    assert run(sqs, tmp_path, "redrive", "--rate", "1", "--hold", "5", "--yes").exit_code == 0
    assert len(sqs.queues[QUEUE]) == 40
    assert len(sqs.queues[DLQ]) == 40


@pytest.mark.parametrize("policy", ["", '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:1:other"}'])
def test_queue_with_another_dead_letter_queue_is_refused(sqs: FakeSqs, tmp_path: Path, policy: str) -> None:
    """A mistaken --queue-url must not send recommendations to another system."""
    sqs.put(body(1))
    other = "https://sqs.us-east-1.amazonaws.com/123456789012/other-system"
    sqs.policies = {other: REDRIVE_POLICY, QUEUE: policy}
    result = run(sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == 2
    assert "does not send its dead letters to recommendations-dlq: check --queue-url" in result.stderr
    assert len(sqs.queues[DLQ]) == 1


def test_redrive_with_messages_in_flight_is_incomplete(sqs: FakeSqs, tmp_path: Path) -> None:
    """Another reader holds ten of them: the run does not claim to be complete, and a later one is."""
    for number in range(12):
        sqs.put(body(number))
    sqs.receive_message(QueueUrl=DLQ, MaxNumberOfMessages=10, VisibilityTimeout=60, WaitTimeSeconds=1)
    result = run(sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == 5
    assert "Redriven 2 dead letters" in result.stdout
    assert "10 messages in flight, hidden by another reader, could not be redriven. Run the same" in result.stderr
    sqs.clock.passed += 61
    assert run(sqs, tmp_path, "redrive", "--yes").exit_code == 0
    assert sqs.queues[DLQ] == []


def test_a_limit_that_was_reached_is_complete_whatever_is_in_flight(sqs: FakeSqs, tmp_path: Path) -> None:
    """The operator asked for no more."""
    for number in range(12):
        sqs.put(body(number))
    sqs.receive_message(QueueUrl=DLQ, MaxNumberOfMessages=10, VisibilityTimeout=60, WaitTimeSeconds=1)
    assert run(sqs, tmp_path, "redrive", "--yes", "--limit", "2").exit_code == 0


def test_redrive_of_an_empty_queue_exits_with_1(sqs: FakeSqs, tmp_path: Path) -> None:
    """A dry run does so too."""
    for args in ([], ["--yes"], ["--yes", "--limit", "1"]):
        result = run(sqs, tmp_path, "redrive", *args)
        assert result.exit_code == 1
        assert result.stderr.startswith(("Error: There are no dead letters in", "Error: Nothing to redrive"))


def test_filters_that_match_nothing_exit_with_1(sqs: FakeSqs, tmp_path: Path) -> None:
    """The message says how many dead letters were inspected."""
    sqs.put(body(1))
    result = run(sqs, tmp_path, "redrive", "--incident", "incident-9")
    assert result.exit_code == 1
    assert "recommendations-dlq in us-east-1 matches the filters (1 inspected)." in result.stderr


def test_control_characters_in_a_message_do_not_reach_the_terminal(sqs: FakeSqs, tmp_path: Path) -> None:
    """Anybody who may send to the queue chooses a message's attributes."""
    sqs.put(body(1), text_attributes(failureReason="\x1b]0;x\x07"))
    result = run(sqs, tmp_path, "redrive")
    assert r"\x1b]0;x\x07" in result.stdout
    assert "\x1b" not in result.output
    assert "secret" not in result.output


@pytest.mark.parametrize(
    "args",
    [
        ["--rate", "501"],
        ["--limit", "0"],
        ["--older-than", "soon"],
        ["--older-than", "2d", "--newer-than", "1d"],
        ["--hold", "43201"],
    ],
)
def test_usage_errors_are_found_first(sqs: FakeSqs, tmp_path: Path, args: list[str]) -> None:
    """No call to SQS precedes them."""
    assert run(sqs, tmp_path, "redrive", *args).exit_code == 2
    assert sqs.calls == []
