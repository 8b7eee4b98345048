"""Send poison to the dead-letter queue at once, with its reason.

Otherwise each message would fail until the redrive policy moved it, without a reason.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from recommendation_consumer.dead_letter_entry import Entry, build_entry
from recommendation_consumer.dependencies import MAX_IN_FLIGHT, DeadLetterQueue
from recommendation_consumer.failure import classify
from recommendation_consumer.plan import Poison
from recommendation_shared import limits
from recommendation_shared.aws_errors import DEADLINE_EXCEEDED, NOT_CONFIRMED
from recommendation_shared.queue.batches import entry_bytes, in_batches

TOO_LARGE: Final = "TooLarge"


class _DeadLetter(NamedTuple):
    message_id: str
    entry: Entry
    size: int  # bytes


async def send_dead_letters(poison: Sequence[Poison], deadline: float, queue: DeadLetterQueue) -> dict[str, str]:
    """Send each message unchanged, with attributes that say why; return the causes for those not sent, by message ID.

    `deadline` is in seconds on `queue.monotonic`. The caller must report a message that was not sent as a batch
    item failure, which leaves it to the redrive policy. If a confirmation is lost, the message may become two dead
    letters, which is better than none.
    """
    letters = [_dead_letter(message, str(index)) for index, message in enumerate(poison)]
    unsent = {letter.message_id: TOO_LARGE for letter in letters if letter.size > limits.SQS_REQUEST_BYTES}
    sendable = [letter for letter in letters if letter.message_id not in unsent]
    slots = asyncio.Semaphore(MAX_IN_FLIGHT)

    async def send(batch: Sequence[_DeadLetter]) -> dict[str, str]:
        async with slots:
            return await _send(batch, deadline, queue)

    async with asyncio.TaskGroup() as tasks:
        sending = [tasks.create_task(send(batch)) for batch in in_batches(sendable, lambda letter: letter.size)]
    for task in sending:
        unsent.update(task.result())
    return unsent


def _dead_letter(poison: Poison, entry_id: str) -> _DeadLetter:
    entry = build_entry(poison, entry_id)
    return _DeadLetter(poison.message.message_id, entry, entry_bytes(entry))


async def _send(batch: Sequence[_DeadLetter], deadline: float, queue: DeadLetterQueue) -> dict[str, str]:
    failed: dict[str, str] = {}
    try:
        async with asyncio.timeout(deadline - queue.monotonic()):
            response = await queue.send_dead_letters([letter.entry for letter in batch])
    except TimeoutError:
        cause = DEADLINE_EXCEEDED
    except (ClientError, BotoCoreError) as error:
        cause = classify(error).error_type
    # Whatever else goes wrong, as with a response that nobody foresaw, must not fail what was stored and sent.
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it is counted under its own name
        cause = type(error).__name__
    else:
        # A response with HTTP 200 may contain failed entries; only confirmed entries count as sent.
        confirmed = {entry.get("Id") for entry in response.get("Successful") or []}
        batch = [letter for letter in batch if letter.entry["Id"] not in confirmed]
        failed = {entry.get("Id"): entry.get("Code", NOT_CONFIRMED) for entry in response.get("Failed") or []}
        cause = NOT_CONFIRMED
    return {letter.message_id: failed.get(letter.entry["Id"], cause) for letter in batch}
