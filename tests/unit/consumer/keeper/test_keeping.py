"""One invocation of the keeper: what is kept, what is counted, and what Lambda delivers again."""

import gzip
import json
from collections.abc import Mapping
from io import StringIO
from itertools import count
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from recommendation_consumer.keeper.dependencies import KeeperDependencies
from recommendation_consumer.keeper.keeping import keep
from recommendation_consumer.keeper.result import NothingKeptError
from recommendation_shared.item.holds import Hold, hold_attribute
from recommendation_shared.settings import Settings
from tests.support.emf import read_emf, totals
from tests.support.fakes.aws import Clock, FakeDeadLetterQueue, client_error
from tests.support.lambdas.event import Context
from tests.support.lambdas.stream_event import (
    deleted,
    expired,
    modified,
    sequence_number,
    stored,
    stream_event,
)

_SERVICES = count()  # loggers of one service share a stream
NONE_FAILED: Mapping[str, Any] = {"batchItemFailures": []}
OVERWRITTEN = modified(stored(reasoning="first"), stored(reasoning="second"), 1)
EDITED = modified(stored("edited"), {**stored("edited"), "reasoning": {"S": "edited"}}, 2)
DELETED = deleted(stored("deleted"), 3)
EXPIRED = expired(stored("expired"), 4)
REWRITTEN = modified(stored(), stored(), 5)


class Bucket:
    """An archive bucket in memory; it refuses every file beyond the first `fails_at`."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self._fails_at = fails_at

    async def put(self, key: str, body: bytes) -> None:
        """Keep or replace a file."""
        if len(self.files) == self._fails_at:
            raise client_error("SlowDown", 503)
        self.files[key] = body

    def recommendations(self) -> list[str]:
        """Return the agents of all documents."""
        lines = b"".join(map(gzip.decompress, self.files.values())).splitlines()
        return sorted(json.loads(line)["agentType"] for line in lines)


def _dependencies(
    queue: FakeDeadLetterQueue, bucket: Bucket | None = None, log: StringIO | None = None
) -> KeeperDependencies:
    clock = Clock()
    return KeeperDependencies(
        settings=Settings(metrics_namespace="OPX/Recommendations-dev"),
        logger=Logger(service=f"keeper-test-{next(_SERVICES)}", stream=log or StringIO(), level="INFO"),
        send_dead_letters=queue.send_batch,
        put_file=None if bucket is None else bucket.put,
        monotonic=clock.monotonic,
        wall=clock.wall,
    )


def _reasons(queue: FakeDeadLetterQueue) -> dict[str, str]:
    """Return the reason of each letter by its agent."""
    bodies = [json.loads(message["MessageBody"]) for message in queue.messages]
    letters = zip(bodies, queue.attributes(), strict=True)
    return {body["agentType"]: attributes["failureReason"] for body, attributes in letters}


async def test_what_was_replaced_edited_or_deleted_becomes_a_dead_letter() -> None:
    """Each with its reason; an identical rewrite and an expiry do not."""
    queue = FakeDeadLetterQueue()
    event = stream_event(OVERWRITTEN, EDITED, DELETED, EXPIRED, REWRITTEN)
    assert await keep(event, Context(), _dependencies(queue)) == NONE_FAILED
    assert _reasons(queue) == {"consensus": "IdConflict", "edited": "Tampered", "deleted": "Deleted"}
    assert json.loads(queue.messages[0]["MessageBody"])["reasoning"] == "first"
    assert [letter["originalMessageId"] for letter in queue.attributes()] == ["event-1", "event-2", "event-3"]


async def test_what_expired_is_archived() -> None:
    """And nothing else is."""
    queue, bucket = FakeDeadLetterQueue(), Bucket()
    event = stream_event(EXPIRED, expired(stored("another"), 6), DELETED, REWRITTEN)
    assert await keep(event, Context(), _dependencies(queue, bucket)) == NONE_FAILED
    assert bucket.recommendations() == ["another", "expired"]
    assert _reasons(queue) == {"deleted": "Deleted"}


async def test_batch_delivered_again_replaces_its_own_files_and_repeats_its_letters_under_the_same_ids() -> None:
    """Better twice than never, and recognisable."""
    queue, bucket = FakeDeadLetterQueue(), Bucket()
    for _ in range(2):
        await keep(stream_event(EXPIRED, DELETED), Context(), _dependencies(queue, bucket))
    assert bucket.recommendations() == ["expired"]
    assert [letter["originalMessageId"] for letter in queue.attributes()] == ["event-3", "event-3"]


async def test_kept_recommendations_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """By kind, all kinds together for the alarm, and by reason like dead letters, in the stage's namespace."""
    event = stream_event(OVERWRITTEN, EDITED, DELETED, deleted(stored("other"), 7), EXPIRED)
    await keep(event, Context(), _dependencies(FakeDeadLetterQueue(), Bucket()))
    output = capsys.readouterr().out
    assert totals(output) == {
        "RecommendationOverwritten": 1,
        "RecommendationTampered": 1,
        "RecommendationDeleted": 2,
        "RecommendationAltered": 4,
        "RecommendationDeadLettered": 4,
    }
    by_reason = [value for line in output.splitlines() for value in read_emf(line) if value.dimensions]
    assert {(*value.dimensions, *value.values) for value in by_reason} == {
        (("Reason", "IdConflict"), 1),
        (("Reason", "Tampered"), 1),
        (("Reason", "Deleted"), 2),
    }
    assert output.count('"Namespace":"OPX/Recommendations-dev"') == len(output.splitlines())


async def test_nothing_is_emitted_for_a_rewrite(capsys: pytest.CaptureFixture[str]) -> None:
    """A metric is billed for each hour in which it is sent."""
    assert await keep(stream_event(REWRITTEN), Context(), _dependencies(FakeDeadLetterQueue())) == NONE_FAILED
    assert capsys.readouterr().out == ""


async def test_log_names_what_was_kept_and_never_its_content() -> None:
    """IDs and reasons suffice to find the letter."""
    log = StringIO()
    old = stored(reasoning="a-secret-value")
    event = stream_event(modified(old, stored(reasoning="b-secret-value"), 1), EXPIRED)
    await keep(event, Context(), _dependencies(FakeDeadLetterQueue(), Bucket(), log))
    letter, archived = map(json.loads, log.getvalue().splitlines())
    assert (letter["level"], letter["reason"], letter["eventId"]) == ("WARNING", "IdConflict", "event-1")
    assert letter["recommendationId"] == old["recommendationId"]["S"]
    assert archived["message"] == "Archived 1 expired recommendation in 1 file"
    assert archived["function_request_id"] == "request-1"
    assert "secret" not in log.getvalue()


@pytest.mark.parametrize("failing", [1, 2])
async def test_first_letter_that_was_not_sent_is_named_and_later_files_wait(failing: int) -> None:
    """Lambda resumes there; what TTL removed before it is archived, and what it removed later is not yet."""
    records = [expired(stored("before"), 10), DELETED, OVERWRITTEN, expired(stored("after"), 11)]
    body = {1: '"agentType":"deleted"', 2: '"agentType":"consensus"'}[failing]

    class Refusing(FakeDeadLetterQueue):
        async def send_batch(self, entries: Any) -> Mapping[str, Any]:
            self._refuse = [entry["MessageBody"] for entry in entries if body in entry["MessageBody"]]
            return await super().send_batch(entries)

    bucket = Bucket()
    response = await keep(stream_event(*records), Context(), _dependencies(Refusing(), bucket))
    assert response == {"batchItemFailures": [{"itemIdentifier": sequence_number(records[failing])}]}
    assert bucket.recommendations() == ["before"]


async def test_failed_file_is_delivered_again_with_all_files_of_the_batch() -> None:
    """So that each replaces its own file, although the batch now begins elsewhere."""
    old = expired(stored("old", timestamp="2026-01-01T00:00:00Z"), 8)
    new = expired(stored("new", timestamp="2026-01-02T00:00:00Z"), 9)
    queue, bucket = FakeDeadLetterQueue(), Bucket(fails_at=1)
    response = await keep(stream_event(DELETED, old, new), Context(), _dependencies(queue, bucket))
    assert response == {"batchItemFailures": [{"itemIdentifier": sequence_number(old)}]}
    retried = Bucket()
    retried.files = bucket.files
    assert await keep(stream_event(old, new), Context(), _dependencies(queue, retried)) == NONE_FAILED
    assert retried.recommendations() == ["new", "old"]
    assert len(queue.messages) == 1


@pytest.mark.parametrize("error", [client_error("AccessDenied"), "hang"], ids=["refused", "hanging"])
async def test_unavailable_dead_letter_queue_raises_so_that_lambda_divides_the_batch(error: Any) -> None:
    """Within the time that the invocation has left."""
    context = Context(remaining_ms=50 if error == "hang" else 30_000)
    cause = "DeadlineExceeded" if error == "hang" else "AccessDenied"
    with pytest.raises(NothingKeptError, match=cause):
        await keep(stream_event(DELETED, EDITED), context, _dependencies(FakeDeadLetterQueue(error=error)))


async def test_unavailable_bucket_raises_so_that_lambda_divides_the_batch() -> None:
    """The cause is named."""
    with pytest.raises(NothingKeptError, match="Throttled"):
        await keep(stream_event(EXPIRED), Context(), _dependencies(FakeDeadLetterQueue(), Bucket(fails_at=0)))


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(modified(stored(), {**stored(), "x": {"X": "unknown type"}}, 20), id="unknown type"),
        pytest.param(deleted(stored(reasoning="\x01" * 200_000), 20), id="too large for a message"),
    ],
)
async def test_change_that_can_never_be_kept_does_not_take_its_neighbours_with_it(bad: dict[str, Any]) -> None:
    """Divided as Lambda divides it, the batch ends with that change alone, and every other letter is sent once."""
    queue = FakeDeadLetterQueue()
    records = [deleted(stored(f"agent-{number}"), number) for number in range(7)]
    records.insert(3, bad)
    discarded = await _deliver(records, queue)
    assert discarded == [bad]
    assert _reasons(queue) == {f"agent-{number}": "Deleted" for number in range(7)}
    assert len(queue.messages) == 7


async def _deliver(records: list[dict[str, Any]], queue: FakeDeadLetterQueue) -> list[dict[str, Any]]:
    """Deliver as the mapping does, and return what goes to its on-failure destination.

    A named record and all later ones are delivered again. A batch whose delivery raises is divided in two, and
    discarded once it cannot be divided. (AWS Lambda Developer Guide, "Configuring partial batch response with DynamoDB
    and Lambda"; retries that do not divide a batch are left out.)
    """
    try:
        response = await keep(stream_event(*records), Context(), _dependencies(queue))
    except NothingKeptError:
        if len(records) == 1:
            return records
        half = len(records) // 2
        return [*await _deliver(records[:half], queue), *await _deliver(records[half:], queue)]
    for failure in response["batchItemFailures"]:
        numbers = [sequence_number(record) for record in records]
        return await _deliver(records[numbers.index(failure["itemIdentifier"]) :], queue)
    return []


async def test_holds_releases_and_erasures_are_counted_and_logged_but_kept_nowhere(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An erased item goes neither to the dead letters nor to the archive, so it counts for the alarm, too."""
    queue, bucket, log = FakeDeadLetterQueue(), Bucket(), StringIO()
    item = stored()
    hold = Hold("Legal", "arn:aws:iam::123456789012:user/ann", "2026-02-01T09:00:00.000000Z")
    held = {name: item[name] for name in item if name != "ttl"} | {"hold": hold_attribute(hold)}
    erasing = {**item, "erasure": {"M": {}}}
    event = stream_event(modified(item, held, 1), modified(held, item, 2), expired(erasing, 3), deleted(erasing, 4))
    assert await keep(event, Context(), _dependencies(queue, bucket, log)) == NONE_FAILED
    assert (queue.messages, bucket.files) == ([], {})
    assert totals(capsys.readouterr().out) == {
        "RecommendationHeld": 1,
        "RecommendationReleased": 1,
        "RecommendationErased": 2,
        "RecommendationAltered": 2,
    }
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["action"], line["count"], line.get("incidentId")) for line in lines] == [
        ("held", 1, "incident-123"),
        ("released", 1, "incident-123"),
        ("erased", 2, None),
    ]
