"""Delivering a batch: the call, the result of each entry, and retries."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final, Protocol, Self

from recommendation_producer._balance import SEND_FAILED, TOO_LARGE
from recommendation_producer._buffer import Entry
from recommendation_producer._failure import Verdict, is_about_credentials, judge
from recommendation_shared.aws_errors import error_code

# Seconds for one call, including the client's own second attempt and opening a client. The client's timeouts come
# first, unless a server responds byte by byte. A call that never ended would keep its envelopes pending forever.
CALL: Final = 10.0
RENEWAL: Final = 5.0  # seconds at least between two new clients, which cost 50 ms each


class SqsClient(Protocol):
    """The only call that the producer makes."""

    async def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> Mapping[str, Any]:  # noqa: N803 - boto3's names
        """Send up to 10 messages; the response lists `Successful` and `Failed` entries by ID."""


ClientFactory = Callable[[], AbstractAsyncContextManager[SqsClient]]
Settle = Callable[[Sequence[Entry], str | None], None]


class Courier:
    """Owns the client and delivers several batches at a time with it, all on one event loop.

    `delays` yields the seconds between the attempts for one batch. `settle` is called once for every entry, with None
    if it was sent or the reason it was dropped. `note_batch` is called with the seconds that each successful call
    took, and `note_failure` with the code of each failure.
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
        """Open nothing yet: the first batch opens the client."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the client."""
        await self._resources.aclose()

    def hurry(self) -> None:
        """End all current backoffs, because a flush has no time for them."""
        self._hurry.set()
        self._hurry = asyncio.Event()

    async def deliver(self, entries: Sequence[Entry]) -> None:
        """Retry until every entry is settled; drop what remains after the last attempt."""
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
        """Send once; settle the final results and return the entries to retry."""
        by_id = {str(position): entry for position, entry in enumerate(entries)}
        try:
            async with asyncio.timeout(CALL), self._open_client() as client:
                started = time.perf_counter()
                response = await client.send_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[{"Id": key, "MessageBody": entry.body.decode()} for key, entry in by_id.items()],
                )
            self._note_batch(time.perf_counter() - started)
            sent = by_id.keys() & {result["Id"] for result in response.get("Successful", ())}
            failed = {result["Id"]: result for result in response.get("Failed", ())}
        except Exception as error:  # noqa: BLE001 - whatever it is, the entries are retried or counted
            return await self._after_failed_call(entries, error)
        for result in failed.values():
            self._note_failure(f"SQS refused an entry: {result.get('Code')}")
        refused = by_id.keys() & {key for key, result in failed.items() if result.get("SenderFault")}
        self._settle([by_id[key] for key in sent], None)
        self._settle([by_id[key] for key in refused - sent], SEND_FAILED)
        # An entry that the response does not mention may not have arrived, and twice is better than never.
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
        """Lend the client for one call; if its credentials were refused, a new client, which looks them up again."""
        async with self._opening:
            now = asyncio.get_running_loop().time()
            # Never during a call, which would then open a connection that nobody closes.
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
