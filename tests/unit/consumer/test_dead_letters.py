"""Sending poison to the dead-letter queue."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from recommendation_consumer.dead_letters import send_dead_letters
from recommendation_consumer.dependencies import MAX_IN_FLIGHT
from recommendation_consumer.message import Message
from recommendation_consumer.plan import Poison
from recommendation_shared import limits
from tests.support.fakes.aws import Clock, FakeDeadLetterQueue, client_error, dependencies
from tests.support.lambdas.event import QUEUE_ARN

ATTRIBUTES = 1_000  # bytes; more than the attributes of a message with a short detail take


def _poison(number: int = 0, text: str = "not JSON", detail: str = "body: must be JSON") -> Poison:
    return Poison(Message(f"m{number}", text, 0, QUEUE_ARN), "InvalidJson", detail)


async def _send(queue: FakeDeadLetterQueue, *poison: Poison, seconds: float = 5.0) -> dict[str, str]:
    clock = Clock()
    return await send_dead_letters(poison, clock.monotonic() + seconds, dependencies(clock=clock, queue=queue))


async def test_dead_letter_is_the_unchanged_message_with_its_reason() -> None:
    """So it can be redriven as it is."""
    queue = FakeDeadLetterQueue()
    assert await _send(queue, _poison()) == {}
    assert [message["MessageBody"] for message in queue.messages] == ["not JSON"]
    assert queue.attributes() == [
        {
            "failureReason": "InvalidJson",
            "failureDetail": "body: must be JSON",
            "originalMessageId": "m0",
            "sourceQueueArn": QUEUE_ARN,
        }
    ]


async def test_no_poison_makes_no_request() -> None:
    """The usual case."""
    queue = FakeDeadLetterQueue()
    assert await _send(queue) == {}
    assert queue.requests == []


async def test_attribute_without_a_value_is_omitted() -> None:
    """SQS rejects an empty value, and an event written by hand may lack its source."""
    queue = FakeDeadLetterQueue()
    await _send(queue, Poison(Message("m0", "x", 0, ""), "InvalidJson", "body: must be JSON"))
    assert "sourceQueueArn" not in queue.attributes()[0]


async def test_long_detail_is_cut_between_characters() -> None:
    """To at most 1,024 bytes."""
    queue = FakeDeadLetterQueue()
    await _send(queue, _poison(detail="é" * 1_000 + "x"))
    assert queue.attributes()[0]["failureDetail"] == "é" * 512


async def test_batches_close_at_ten_entries() -> None:
    """SendMessageBatch accepts no more."""
    queue = FakeDeadLetterQueue()
    assert await _send(queue, *map(_poison, range(23))) == {}
    assert sorted(queue.requests) == [3, 10, 10]
    assert {sent["originalMessageId"] for sent in queue.attributes()} == {f"m{number}" for number in range(23)}


@pytest.mark.parametrize(("room", "requests"), [(ATTRIBUTES, 1), (0, 2)])
async def test_batches_close_at_1_mib_including_attributes(room: int, requests: int) -> None:
    """Counted in bytes of UTF-8."""
    text = "é" * ((limits.SQS_REQUEST_BYTES // 2 - room) // 2)
    queue = FakeDeadLetterQueue()
    assert await _send(queue, _poison(0, text), _poison(1, text)) == {}
    assert len(queue.requests) == requests


async def test_message_too_large_with_its_reason_is_left_to_the_redrive_policy() -> None:
    """SQS moves it unchanged; the others are sent."""
    queue = FakeDeadLetterQueue()
    unsent = await _send(queue, _poison(0, "x" * limits.SQS_REQUEST_BYTES), _poison(1))
    assert unsent == {"m0": "TooLarge"}
    assert len(queue.messages) == 1


async def test_requests_in_flight_are_limited() -> None:
    """The client's pool holds few connections; as many requests as allowed are sent at once."""
    in_flight = [0]  # after each request's start and end

    class CountingQueue(FakeDeadLetterQueue):
        async def send_batch(self, entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
            in_flight.append(in_flight[-1] + 1)
            try:
                return await super().send_batch(entries)
            finally:
                in_flight.append(in_flight[-1] - 1)

    queue = CountingQueue()
    assert await _send(queue, *map(_poison, range(10 * 3 * MAX_IN_FLIGHT))) == {}
    assert len(queue.requests) == 3 * MAX_IN_FLIGHT
    assert max(in_flight) == MAX_IN_FLIGHT


async def test_failed_entries_of_a_successful_request_are_unsent() -> None:
    """A response with HTTP 200 may contain failed entries."""
    queue = FakeDeadLetterQueue(refuse={"refused"})
    unsent = await _send(queue, _poison(0), _poison(1, "refused"), _poison(2))
    assert unsent == {"m1": "InternalError"}


async def test_unconfirmed_entry_counts_as_unsent() -> None:
    """It is better to send it twice than never."""

    async def send(_: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {"Successful": [{"Id": "0"}]}

    clock = Clock()
    unsent = await send_dead_letters(
        [_poison(0), _poison(1)], clock.monotonic() + 5, dependencies(clock=clock, send_dead_letters=send)
    )
    assert unsent == {"m1": "NotConfirmed"}


async def test_all_entries_of_a_failed_request_are_unsent() -> None:
    """The cause is AWS's own code."""
    queue = FakeDeadLetterQueue(error=client_error("AccessDenied"))
    assert await _send(queue, _poison(0), _poison(1)) == {"m0": "AccessDenied", "m1": "AccessDenied"}


async def test_hanging_queue_is_abandoned_at_the_deadline() -> None:
    """In real time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    unsent = await _send(FakeDeadLetterQueue(error="hang"), *map(_poison, range(12)), seconds=0.05)
    assert loop.time() - began < 1
    assert unsent == {f"m{number}": "DeadlineExceeded" for number in range(12)}


async def test_nothing_is_confirmed_after_the_deadline() -> None:
    """The writes may have taken all of the invocation's time."""
    unsent = await _send(FakeDeadLetterQueue(), _poison(), seconds=-1.0)
    assert unsent == {"m0": "DeadlineExceeded"}


async def test_body_with_a_lone_surrogate_does_not_hold_back_the_others() -> None:
    """JSON can express one, and it is up to SQS to accept it."""
    queue = FakeDeadLetterQueue(refuse={"\ud800"})
    assert await _send(queue, _poison(0, "\ud800"), _poison(1)) == {"m0": "InternalError"}


@pytest.mark.parametrize("error", [ZeroDivisionError("a-secret-value"), asyncio.CancelledError()])
async def test_unexpected_error_leaves_its_letters_to_sqs(error: BaseException) -> None:
    """It must not fail the invocation, whose other messages are stored by now."""

    async def fail(_: Any) -> Mapping[str, Any]:
        raise error

    unsent = await send_dead_letters([_poison(0), _poison(1)], 2_000.0, dependencies(send_dead_letters=fail))
    assert unsent == dict.fromkeys(["m0", "m1"], type(error).__name__)
