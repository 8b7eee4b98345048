"""Poison goes to the dead-letter queue at once, with its reason, instead of failing five times without one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from recommendation_consumer.aws_error import DEADLINE_EXCEEDED, NOT_CONFIRMED, classify
from recommendation_consumer.dead_letter_entry import Entry, entry_bytes, make_entry
from recommendation_consumer.plan import Poison
from recommendation_shared import limits

TOO_LARGE: Final = "TooLarge"

_IN_FLIGHT: Final = 8  # requests; the connection pool has 10 places

SendBatch = Callable[[Sequence[Entry]], Awaitable[Mapping[str, Any]]]
"""Sends up to ten entries to the dead-letter queue; raises `ClientError` or `BotoCoreError`."""


async def send_dead_letters(
    poison: Sequence[Poison], send: SendBatch, deadline: float, monotonic: Callable[[], float]
) -> dict[str, str]:
    """Send each message as it came, with attributes that say why; return those not sent: message ID -> cause.

    `deadline` is a moment on `monotonic`, in seconds. A message that is not sent must be reported as a failure,
    which leaves it to the redrive policy. One whose confirmation is lost becomes a second dead letter: better than
    none.
    """
    places = asyncio.Semaphore(_IN_FLIGHT)

    async def send_batch(batch: Sequence[tuple[Poison, Entry]]) -> dict[str, str]:
        async with places:
            return await _send(batch, send, deadline - monotonic())

    entries = [(one, make_entry(one, str(index))) for index, one in enumerate(poison)]
    unsent = {
        one.message.message_id: TOO_LARGE for one, entry in entries if entry_bytes(entry) > limits.SQS_REQUEST_BYTES
    }
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(send_batch(batch)) for batch in _batches(entries)]
    for task in running:
        unsent.update(task.result())
    return unsent


async def _send(batch: Sequence[tuple[Poison, Entry]], send: SendBatch, left: float) -> dict[str, str]:
    failed: dict[str, str] = {}
    try:
        async with asyncio.timeout(left):
            response = await send([entry for _, entry in batch])
    except TimeoutError:
        cause = DEADLINE_EXCEEDED
    except (ClientError, BotoCoreError) as error:
        cause = classify(error).error_type
    else:
        # An HTTP 200 may carry failed entries; only what is confirmed counts as sent.
        confirmed = {entry["Id"] for entry in response.get("Successful", [])}
        batch = [(one, entry) for one, entry in batch if entry["Id"] not in confirmed]
        failed = {entry["Id"]: entry["Code"] for entry in response.get("Failed", [])}
        cause = NOT_CONFIRMED
    return {one.message.message_id: failed.get(entry["Id"], cause) for one, entry in batch}


def _batches(entries: Sequence[tuple[Poison, Entry]]) -> Iterator[list[tuple[Poison, Entry]]]:
    """Divide entries by SendMessageBatch's limits, 10 entries and 1 MiB; leave out what is too large by itself."""
    batch: list[tuple[Poison, Entry]] = []
    total = 0
    for poison, entry in entries:
        size = entry_bytes(entry)
        if size > limits.SQS_REQUEST_BYTES:
            continue
        if batch and (len(batch) == limits.SQS_BATCH_ENTRIES or total + size > limits.SQS_REQUEST_BYTES):
            yield batch
            batch, total = [], 0
        batch.append((poison, entry))
        total += size
    if batch:
        yield batch
