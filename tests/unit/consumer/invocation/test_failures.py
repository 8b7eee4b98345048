"""What happens if the table, the dead-letter queue or time fails: whether the invocation raises or names messages."""

from typing import Any

import pytest

from recommendation_consumer.invocation import NothingStoredError
from tests.support.fakes.aws import FakeDeadLetterQueue, FakeTable, client_error
from tests.support.lambdas.event import Context, bodies, body, event, named, redelivered
from tests.support.lambdas.invoke import invoke

pytestmark = pytest.mark.usefixtures("capsys")  # for the metrics' lines

THROTTLED = client_error("ThrottlingException")


async def test_items_unprocessed_until_the_deadline_are_named_in_order_of_arrival() -> None:
    """No other message is named."""
    table, messages = FakeTable(2, last=2), event(*bodies(5))
    response = await invoke(messages, table)
    assert named(response) == ["m3", "m4"]
    assert redelivered(response, messages) == {"m3", "m4"}


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (THROTTLED, r"Throttled \(7\)"),
        (25, r"Throttled \(7\)"),
        (client_error("AccessDeniedException"), r"AccessDeniedException \(7\)"),
        (client_error("ResourceNotFoundException"), r"ResourceNotFoundException \(7\)"),
        (client_error("ExpiredTokenException"), r"ExpiredTokenException \(7\)"),
        (client_error("InternalServerError", 500), r"InternalServerError \(7\)"),
    ],
)
async def test_invocation_that_stores_nothing_raises(answer: Any, cause: str) -> None:
    """So the poller backs off, and the alarm on the function's errors goes off."""
    with pytest.raises(NothingStoredError, match=f"^None of the batch's recommendations could be stored: {cause}$"):
        await invoke(event(*bodies(7)), FakeTable(last=answer))


async def test_batch_that_is_redelivered_whole_has_sent_no_dead_letter() -> None:
    """Its poison is redelivered, too, and must not be dead-lettered twice."""
    queue = FakeDeadLetterQueue()
    with pytest.raises(NothingStoredError):
        await invoke(event("poison", body()), FakeTable(last=THROTTLED), queue)
    assert not queue.messages


async def test_partly_stored_batch_names_the_rest() -> None:
    """If it raised, the stored ones would be redelivered as well."""
    response = await invoke(event(*bodies(30)), FakeTable(client_error("AccessDeniedException")))
    assert named(response) == [f"m{number}" for number in range(25)]


async def test_table_that_hangs_for_one_chunk_gets_its_messages_named_before_the_timeout() -> None:
    """Exactly those messages are named."""
    response = await invoke(event(*bodies(30)), FakeTable("hang"), context=Context(remaining_ms=300))
    assert named(response) == [f"m{number}" for number in range(25)]


async def test_table_that_hangs_for_all_chunks_raises_before_the_timeout() -> None:
    """Within the 300 ms that remain."""
    with pytest.raises(NothingStoredError, match="DeadlineExceeded"):
        await invoke(event(*bodies(30)), FakeTable(last="hang"), context=Context(remaining_ms=300))


async def test_hanging_dead_letter_queue_does_not_delay_the_response() -> None:
    """The poison is named; the stored message is not."""
    queue = FakeDeadLetterQueue(error="hang")
    response = await invoke(event("poison", body()), queue=queue, context=Context(remaining_ms=300))
    assert named(response) == ["m0"]
