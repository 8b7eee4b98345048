"""Delivering one batch: the call, its answer entry by entry, and another attempt for what is worth one."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final, Protocol, Self

from recommendation_producer._balance import SEND_FAILED, TOO_LARGE
from recommendation_producer._buffer import Entry
from recommendation_producer._failure import Verdict, is_about_credentials, judge
from recommendation_shared.aws_errors import error_code

# Seconds for one call, the client's own second attempt and the opening of a client included. Its timeouts come first,
# unless a server answers byte by byte; a call that never ended would keep its envelopes pending for ever.
CALL: Final = 10.0
RENEWAL: Final = 5.0  # seconds between two new clients, which cost 50 ms each


class SqsClient(Protocol):
    """The one call that is made."""

    async def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> Mapping[str, Any]:  # noqa: N803 - boto3's names
        """Send up to 10 messages; the answer lists `Successful` and `Failed` entries by id."""


ClientFactory = Callable[[], AbstractAsyncContextManager[SqsClient]]
Settle = Callable[[Sequence[Entry], str | None], None]


class Courier:
    """Owns the client and delivers batches with it, several at a time, all on one event loop.

    `delays` makes the delays in seconds between the attempts for one batch. `settle` is told of every entry exactly
    once: sent (None) or the reason of its drop. `note_batch` is told the seconds that each answered call took, and
    `note_failure` the code of every failure.
    """

    def __init__(  # noqa: PLR0913 - the sender wires it, callbacks by name
        self,
        queue_url: str,
        client_factory: ClientFactory,
        delays: Callable[[], Iterator[float]],
        *,
        settle: Settle,
        note_batch: Callable[[float], None],
        note_failure: Callable[[str], None],
    ) -> None:
        self._queue_url = queue_url
        self._client_factory = client_factory
        self._delays = delays
        self._settle = settle
        self._note_batch = note_batch
        self._note_failure = note_failure
        self._hurry = asyncio.Event()
        self._opening = asyncio.Lock()
        self._client: SqsClient | None = None
        self._resources = AsyncExitStack()
        self._calls = 0
        self._is_refused = False
        self._renewed_at = float("-inf")

    async def __aenter__(self) -> Self:
        """Hold nothing yet: the client is made for the first batch."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the client."""
        await self._resources.aclose()

    def hurry(self) -> None:
        """End every backoff of this moment: a flush has no time for it."""
        self._hurry.set()
        self._hurry = asyncio.Event()

    async def deliver(self, entries: Sequence[Entry]) -> None:
        """Try until every entry is settled; what is left when the attempts are used up is dropped."""
        delays = self._delays()
        while entries := await self._attempt(entries):
            delay = next(delays, None)
            if delay is None:
                self._settle(entries, SEND_FAILED)
                return
            hurry = self._hurry
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await hurry.wait()

    async def _attempt(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Send once; settle what is final and return what is worth another attempt."""
        by_id = {str(position): entry for position, entry in enumerate(entries)}
        try:
            async with asyncio.timeout(CALL), self._open_client() as client:
                started = time.perf_counter()
                answer = await client.send_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[{"Id": key, "MessageBody": entry.body.decode()} for key, entry in by_id.items()],
                )
            self._note_batch(time.perf_counter() - started)
            sent = by_id.keys() & {one["Id"] for one in answer.get("Successful", ())}
            failed = {one["Id"]: one for one in answer.get("Failed", ())}
        except Exception as error:  # noqa: BLE001 - whatever it is, its entries are retried or counted
            return await self._after_failed_call(entries, error)
        for one in failed.values():
            self._note_failure(f"SQS refused an entry: {one.get('Code')}")
        refused = by_id.keys() & {key for key, one in failed.items() if one.get("SenderFault")}
        self._settle([by_id[key] for key in sent], None)
        self._settle([by_id[key] for key in refused - sent], SEND_FAILED)
        # An entry that the answer does not name at all may not have arrived: twice is better than never.
        return [entry for key, entry in by_id.items() if key not in sent and key not in refused]

    async def _after_failed_call(self, entries: Sequence[Entry], error: Exception) -> Sequence[Entry]:
        self._note_failure(f"SendMessageBatch failed: {error_code(error)}")
        if is_about_credentials(error):
            self._is_refused = True
        verdict = judge(error)
        if verdict is Verdict.RETRY:
            return entries
        if verdict is Verdict.SPLIT and len(entries) > 1:
            middle = len(entries) // 2
            return [*await self._attempt(entries[:middle]), *await self._attempt(entries[middle:])]
        self._settle(entries, TOO_LARGE if error_code(error) == "BatchRequestTooLong" else SEND_FAILED)
        return ()

    @asynccontextmanager
    async def _open_client(self) -> AsyncIterator[SqsClient]:
        """Lend the client for one call; after its credentials were refused a new one, which looks for others."""
        async with self._opening:
            now = asyncio.get_running_loop().time()
            # Never under a call, which would open a connection anew that nobody closes.
            if self._is_refused and self._calls == 0 and now >= self._renewed_at + RENEWAL:
                self._is_refused, self._renewed_at, self._client = False, now, None
                await self._resources.aclose()
            if self._client is None:
                self._client = await self._resources.enter_async_context(self._client_factory())
            client = self._client
            self._calls += 1
        try:
            yield client
        finally:
            self._calls -= 1
