"""Every command of `recs dlq` refuses a queue that is not a dead-letter queue, before it receives anything."""

import json
from pathlib import Path

import pytest

from tests.support.fakes.dead_letter_queue import DLQ, DLQ_ARN, QUEUE, REDRIVE_POLICY, FakeSqs, body, error, run

SWAPPED = ("--dlq-url", QUEUE, "--queue-url", DLQ)
COMMANDS = (
    ("status",),
    ("peek",),
    ("save", "saved.jsonl"),
    ("purge", "letters.jsonl", "--confirm", "recommendations"),
    ("redrive",),
    ("redrive", "--yes"),
)


@pytest.fixture
def sqs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSqs:
    """Three live messages in the main queue, and a file that holds a dead letter."""
    monkeypatch.chdir(tmp_path)
    queues = FakeSqs()
    queues.put(body(1))
    run(queues, tmp_path, "save", "letters.jsonl")
    entries = [{"Id": str(number), "MessageBody": body(number)} for number in range(3)]
    queues.send_message_batch(QueueUrl=QUEUE, Entries=entries)
    queues.calls.clear()
    return queues


def _is_untouched(sqs: FakeSqs) -> bool:
    return len(sqs.queues[QUEUE]) == 3 and not any(stored.receives for stored in sqs.queues[QUEUE])


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_swapped_urls_are_refused_before_anything_is_received(
    sqs: FakeSqs, tmp_path: Path, args: tuple[str, ...]
) -> None:
    """The message names both queues and says what is wrong."""
    result = run(sqs, tmp_path, *args, urls=SWAPPED)
    assert result.exit_code == 2
    assert "recommendations is not a dead-letter queue: its own dead letters go to recommendations-dlq" in result.stderr
    assert "--dlq-url and --queue-url are swapped" in result.stderr
    assert _is_untouched(sqs)
    assert not Path("saved.jsonl").exists()


@pytest.mark.parametrize("args", COMMANDS[:4], ids=" ".join)
def test_the_main_queue_alone_is_refused(sqs: FakeSqs, tmp_path: Path, args: tuple[str, ...]) -> None:
    """Its own redrive policy names the queue that was meant."""
    result = run(sqs, tmp_path, *args, urls=("--dlq-url", QUEUE))
    assert result.exit_code == 2
    assert "so pass recommendations-dlq as --dlq-url" in result.stderr
    assert _is_untouched(sqs)


def test_the_same_url_twice_is_refused(sqs: FakeSqs, tmp_path: Path) -> None:
    """A queue that names itself in its redrive policy is not another queue either."""
    sqs.policies[DLQ] = REDRIVE_POLICY
    del sqs.policies[QUEUE]
    assert run(sqs, tmp_path, "peek", urls=("--dlq-url", DLQ, "--queue-url", DLQ)).exit_code == 2
    assert run(sqs, tmp_path, "peek", urls=("--dlq-url", DLQ)).exit_code == 2


def test_a_queue_that_no_policy_names_is_refused(sqs: FakeSqs, tmp_path: Path) -> None:
    """With its supposed main queue, the message says where that one sends its dead letters."""
    sqs.policies = {}
    alone = run(sqs, tmp_path, "peek", urls=("--dlq-url", DLQ))
    assert "recommendations-dlq is not a dead-letter queue: no queue's redrive policy names it." in alone.stderr
    sqs.policies = {QUEUE: json.dumps({"deadLetterTargetArn": DLQ_ARN + "-other"})}
    both = run(sqs, tmp_path, "peek")
    assert both.exit_code == 2
    assert (
        "recommendations-dlq is not the dead-letter queue of recommendations, which sends its dead letters to"
        " recommendations-dlq-other:" in both.stderr
    )


@pytest.mark.parametrize("code", ["InvalidAction", "AccessDeniedException"])
def test_the_main_queue_is_proof_where_sqs_does_not_list_sources(sqs: FakeSqs, tmp_path: Path, code: str) -> None:
    """Emulators lack that call, and roles of older stacks may not make it."""
    sqs.failing["list_dead_letter_source_queues"] = error(code)
    assert run(sqs, tmp_path, "peek").exit_code == 0
    without = run(sqs, tmp_path, "peek", urls=("--dlq-url", DLQ))
    assert without.exit_code == 2
    assert "Pass its main queue as --queue-url, or allow sqs:ListDeadLetterSourceQueues." in without.stderr


def test_sqs_is_proof_where_the_main_queue_is_unknown_or_another(sqs: FakeSqs, tmp_path: Path) -> None:
    """An operator may inspect the dead letters of a stage that the environment does not name."""
    assert run(sqs, tmp_path, "peek", urls=("--dlq-url", DLQ)).exit_code == 0
    assert run(sqs, tmp_path, "peek", urls=("--dlq-url", DLQ, "--queue-url", DLQ)).exit_code == 0


def test_peek_warns_where_receives_have_consequences(sqs: FakeSqs, tmp_path: Path) -> None:
    """A dead-letter queue may have a redrive policy of its own."""
    sqs.policies[DLQ] = json.dumps({"deadLetterTargetArn": DLQ_ARN + "-2"})
    result = run(sqs, tmp_path, "peek")
    assert result.exit_code == 0
    assert "Each receive counts: recommendations-dlq has a redrive policy of its own, to recommendations-dlq-2." in (
        result.stderr
    )


def test_restore_refuses_a_queue_without_dead_letters(sqs: FakeSqs, tmp_path: Path) -> None:
    """A dead-letter queue has none: the file goes to the queue that the consumer reads."""
    result = run(sqs, tmp_path, "restore", "letters.jsonl", "--yes", urls=("--queue-url", DLQ))
    assert result.exit_code == 2
    assert "recommendations-dlq sends its dead letters to no queue" in result.stderr
    assert len(sqs.queues[DLQ]) == 1
