"""The sender: a daemon thread that owns an event loop and an SQS client for the life of the sandbox."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from recommendation_producer._batch import body_bytes, due
from recommendation_producer._buffer import Buffer, Entry
from recommendation_producer._delivery import ClientFactory, Courier
from recommendation_producer._loss_log import LossLog
from recommendation_shared import limits
from recommendation_shared.aws_errors import error_code
from recommendation_shared.queue.batches import in_batches

IN_FLIGHT: Final = 4  # batches; enough to empty a burst of 1,000 within a flush of 2 s at 50 ms a call
# Seconds between two wake-ups for full batches. A wake-up is a system call, during which the sender takes the
# interpreter from the caller; at every tenth enqueue of a burst it would cost more than everything else.
_REST: Final = 0.01
_CHECK: Final = 0.1  # seconds between checks that the thread is alive, while a flush waits for it


class Sender:
    """Takes batches from the buffer and delivers them until stopped.

    The public methods may be called from any thread; the others run on the sender's own.
    """

    def __init__(  # noqa: PLR0913 - the producer wires it, by name
        self,
        buffer: Buffer,
        queue_url: str,
        *,
        client_factory: ClientFactory,
        note_batch: Callable[[float], None],
        max_age: float,
        delays: Callable[[], Iterator[float]],
        clock: Callable[[], float],
    ) -> None:
        self._buffer = buffer
        self._queue_url = queue_url
        self._client_factory = client_factory
        self._note_batch = note_batch
        self._max_age = max_age
        self._delays = delays
        self._clock = clock
        self._log = LossLog(clock)
        self._thread: threading.Thread | None = None
        self._is_running = False  # like `is_alive` but without its lock; becomes false a moment earlier
        self._starting = threading.Lock()
        self._progress = threading.Condition()
        self._flush_mark = 0
        self._was_woken = False
        self._rested_at = 0.0
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._deliveries: set[asyncio.Task[None]] = set()

    @property
    def is_alive(self) -> bool:
        """Return whether the thread is running."""
        return self._thread is not None and self._thread.is_alive()

    def notice(self) -> None:
        """React to a new entry. Called for each one, so it wakes the thread only for a full batch."""
        if not self._is_running:
            self.ensure_running()
        if not self._was_woken and self._buffer.holds_full_batch():
            self._was_woken = True
            self._call(self._wake_up_for_batch)

    def ensure_running(self) -> bool:
        """Start the thread unless it is running; return False if it cannot be started.

        Never waits for another thread that is about to start it.
        """
        if self.is_alive:
            return True
        if self._stopping:
            return False
        if not self._starting.acquire(blocking=False):
            return True
        try:
            if not self.is_alive:
                self._thread = threading.Thread(target=self._run, name="recommendation-sender", daemon=True)
                self._thread.start()
        except RuntimeError:  # the interpreter is shutting down or out of threads: the entries stay pending
            return False
        finally:
            self._starting.release()
        return True

    def start_draining(self, mark: int) -> None:
        """Send the entries numbered below `mark` without waiting for full batches, and cut backoffs short."""
        with self._progress:
            self._flush_mark = max(self._flush_mark, mark)
        self.ensure_running()
        self._call(self._hurry_up)

    def wait_until_settled(self, mark: int, deadline: float) -> None:
        """Wait until all entries below `mark` are sent or dropped, or until `deadline` (by the clock)."""
        while self.must_wait_for(mark, deadline):
            with self._progress:
                self._progress.wait_for(
                    lambda: self._buffer.is_settled(mark), max(0.0, min(deadline - self._clock(), _CHECK))
                )

    def must_wait_for(self, mark: int, deadline: float) -> bool:
        """Return whether an entry below `mark` is unsettled, the deadline ahead, and a thread running or restarted."""
        return not self._buffer.is_settled(mark) and self._clock() < deadline and self.ensure_running()

    def stop(self, timeout: float) -> None:
        """Stop the thread and wait up to `timeout` seconds for its end; the entries it holds stay unsettled."""
        self._stopping = True
        self._call(self._wake_up)
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout)

    def _call(self, callback: Callable[[], None]) -> None:
        if self._loop is not None:
            # A closed loop belongs to a dead thread, whose successor checks the buffer before it sleeps.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(callback)

    def _run(self) -> None:
        self._is_running = True
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - reported; the next enqueue or flush starts a successor
            self._log.note(f"the sender stopped: {error_code(error)}")
            self._log.report(self._buffer.balance())
        finally:
            self._is_running = False

    async def _main(self) -> None:
        self._wake = asyncio.Event()
        self._deliveries = set()
        self._broken: BaseException | None = None
        async with Courier(
            self._queue_url,
            self._client_factory,
            self._delays,
            settle=self._settle,
            note_batch=self._note_batch,
            note_failure=self._log.note,
        ) as self._courier:
            self._loop = asyncio.get_running_loop()  # last, because from now on other threads may call
            try:
                await self._deliver_until_stopped()
            finally:  # the calls end before their client is closed
                for delivery in self._deliveries:
                    delivery.cancel()
                await asyncio.gather(*self._deliveries, return_exceptions=True)

    async def _deliver_until_stopped(self) -> None:
        for entries in in_batches(self._buffer.in_hand(), body_bytes):
            self._start_delivery(entries)
        while not self._stopping:
            if self._broken is not None:
                raise self._broken  # its entries are still in hand, and a successor takes them over
            # Before the buffer is checked, so that no later entry goes unnoticed.
            self._was_woken = self._clock() < self._rested_at
            self._wake.clear()
            self._start_due_deliveries()
            self._log.report(self._buffer.balance())
            with suppress(TimeoutError):
                async with asyncio.timeout(self._until_next_check()):
                    await self._wake.wait()

    def _wake_up(self) -> None:
        self._wake.set()

    def _wake_up_for_batch(self) -> None:
        self._rested_at = self._clock() + _REST
        self._wake.set()

    def _hurry_up(self) -> None:
        self._wake.set()
        self._courier.hurry()

    def _until_next_check(self) -> float:
        """Return seconds; an idle sender checks once per `max_age`, so that an enqueue need not wake it."""
        if self._was_woken:  # and so nobody will wake it again
            return max(0.0, self._rested_at - self._clock())
        waiting = self._buffer.peek(1)
        if not waiting or len(self._deliveries) >= IN_FLIGHT:  # in the second case, the end of a delivery wakes us
            return self._max_age
        return max(0.0, waiting[0].enqueued_at + self._max_age - self._clock())

    def _start_due_deliveries(self) -> None:
        while len(self._deliveries) < IN_FLIGHT:
            count = due(
                self._buffer.peek(limits.SQS_BATCH_ENTRIES),
                now=self._clock(),
                max_age=self._max_age,
                flush_mark=self._flush_mark,
            )
            if count == 0:
                return
            self._start_delivery(self._buffer.take(count))

    def _start_delivery(self, entries: Sequence[Entry]) -> None:
        delivery = asyncio.create_task(self._courier.deliver(entries))
        self._deliveries.add(delivery)
        delivery.add_done_callback(self._end_delivery)

    def _end_delivery(self, delivery: asyncio.Task[None]) -> None:
        self._deliveries.discard(delivery)
        if not delivery.cancelled() and (error := delivery.exception()) is not None:
            self._broken = error
        self._wake.set()

    def _settle(self, entries: Sequence[Entry], dropped_for: str | None) -> None:
        self._buffer.settle(entries, dropped_for)
        with self._progress:
            self._progress.notify_all()
