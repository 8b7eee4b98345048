"""The sender's thread: decides what to send and when, while call threads wait for the network.

                ┌───────────── results ◄─────────────┐
buffer ─► due batch ─► delivery ─► call ─► call thread (up to four) ─► SQS
                ▲         │ retry after a delay, or settled: sent or dropped
                └─────────┘
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final

from recommendation_producer._balance import CLIENT_UNAVAILABLE, SEND_FAILED, TOO_LARGE
from recommendation_producer._buffer import Entry
from recommendation_producer._loss_log import LossLog
from recommendation_producer._sending.calls_in_flight import IN_FLIGHT, WATCH, CallsInFlight
from recommendation_producer._sending.client import SharedClient
from recommendation_producer._sending.delivery import Call, Delivery, Opened, Setup, body_bytes, due, results
from recommendation_producer._sending.failure import cause, is_about_credentials, judge
from recommendation_shared import limits
from recommendation_shared.aws_errors import error_code
from recommendation_shared.queue.batches import in_batches

_BRIEFLY: Final = 3  # attempts for a batch that another attempt helps only perhaps
_REST: Final = 0.01  # seconds between two wake-ups for full batches, see `Sender.notice`
_TO_END: Final = 0.2  # seconds for idle threads to end

# Messages to the thread, besides finished calls.
FULL_BATCH: Final = "full batch"
HURRY: Final = "hurry"
RENEW: Final = "renew"  # the client, before the next call
STOP: Final = "stop"


class Dispatcher:
    """Runs on the sender's thread. Other threads only put messages into `inbox`.

    A SimpleQueue, because its `put` may be interrupted by a signal handler or finalizer that puts, too.
    """

    def __init__(
        self, setup: Setup, log: LossLog, flush_mark: Callable[[], int], on_settled: Callable[[], None]
    ) -> None:
        self.inbox: SimpleQueue[Call | Opened | str] = SimpleQueue()
        self.was_woken = False
        self._setup = setup
        self._buffer = setup.buffer
        self._clock = setup.clock
        self._log = log
        self._flush_mark = flush_mark
        self._on_settled = on_settled
        self._deliveries: list[Delivery] = []
        self._calls = CallsInFlight(setup, self.inbox.put)
        self._shared = SharedClient(setup.clock)
        self._rested_at = 0.0

    def run(self) -> None:
        """Deliver until told to stop."""
        try:
            for entries in in_batches(self._buffer.in_hand(), body_bytes):
                self._deliver(entries)
            while True:
                # Before the buffer is checked, so that no later entry goes unnoticed. What came before this thread
                # could be woken left no message, so the first check does not wait for one.
                self.was_woken = self._clock() < self._rested_at
                self._take_due_batches()
                self._give_up_overdue_calls()
                self._start_calls()
                self._log.report(self._buffer.balance())
                if not self._receive():
                    break
            self._await_calls()
        finally:
            self._calls.stop(_TO_END)
            if not self._calls:
                self._shared.close()

    def _await_calls(self) -> None:
        """Let the calls in flight end, if they do so soon: their envelopes then count as sent."""
        ends = time.monotonic() + _TO_END
        with suppress(Empty):
            while self._calls:
                message = self.inbox.get(timeout=max(0.0, ends - time.monotonic()))
                if isinstance(message, Call):
                    self._end(message)

    def _receive(self) -> bool:
        """Handle the messages, waiting for the first one until there is something to do; return False to stop."""
        timeout = self._until_next_check()
        with suppress(Empty):
            while True:
                message = self.inbox.get(timeout=timeout) if timeout > 0 else self.inbox.get_nowait()
                timeout = 0.0
                if isinstance(message, Call):
                    self._end(message)
                elif isinstance(message, Opened):
                    self._shared.client = message.client
                elif message == STOP:
                    return False
                elif message == RENEW:
                    self._shared.note_outdated()
                elif message == FULL_BATCH:
                    self._rested_at = self._clock() + _REST
                else:
                    for delivery in self._deliveries:
                        delivery.ready_at = float("-inf")
        return True

    def _until_next_check(self) -> float:
        """Return seconds; an idle sender checks once per `max_age`, so that an enqueue need not wake it."""
        now = self._clock()
        waits = [WATCH] if self._calls else []
        if not self._is_opening():  # the new client, or the end of the call that fails to create it, wakes it
            waits += [delivery.ready_at - now for delivery in self._deliveries if not delivery.is_calling]
        if self.was_woken:  # and so nobody will wake it again
            waits.append(self._rested_at - now)
        elif len(self._deliveries) < IN_FLIGHT:  # otherwise the end of a call wakes it
            waiting = self._buffer.peek(1)
            waits.append(waiting[0].enqueued_at + self._setup.max_age - now if waiting else self._setup.max_age)
        return max(0.0, min(waits, default=self._setup.max_age))

    def _take_due_batches(self) -> None:
        while len(self._deliveries) < IN_FLIGHT:
            flush_mark = self._flush_mark()  # before the entries, which then include all that it covers
            waiting = self._buffer.peek(limits.SQS_BATCH_ENTRIES)
            count = due(waiting, now=self._clock(), max_age=self._setup.max_age, flush_mark=flush_mark)
            if count == 0:
                return
            self._deliver(self._buffer.take(count))

    def _deliver(self, entries: Sequence[Entry]) -> None:
        sendable = [entry for entry in entries if entry.refusal is None]
        for entry in entries:
            if entry.refusal is not None:
                self._settle([entry], entry.refusal)
        if sendable:
            self._deliveries.append(Delivery(sendable, self._setup.delays()))

    def _start_calls(self) -> None:
        for delivery in [delivery for delivery in self._deliveries if not delivery.is_calling]:
            if self._clock() < delivery.ready_at:
                continue
            self._shared.forget_if_outdated()
            if self._shared.is_unavailable:
                while delivery.parts:
                    self._settle(delivery.parts.pop(), CLIENT_UNAVAILABLE)
                self._continue(delivery)
            elif not self._is_opening() and not self._calls.start(delivery, self._shared.client):
                delivery.ready_at = self._clock() + WATCH

    def _is_opening(self) -> bool:
        return self._shared.client is None and self._calls.is_creating_client

    def _give_up_overdue_calls(self) -> None:
        for call in self._calls.give_up_overdue():
            self._log.note("SendMessageBatch failed: no response in time")
            self._retry(call.delivery, call.entries)

    def _end(self, call: Call) -> None:
        if not self._calls.end(call):  # it was given up, and its entries were sent again
            return
        if call.error is not None:
            self._judge(call, call.error)
            return
        self._setup.note_batch(call.seconds)
        try:
            sent, refused, to_retry, codes = results(call.entries, call.response)
        except Exception as error:  # noqa: BLE001 - a malformed response
            self._log.note(f"SendMessageBatch failed: {type(error).__name__} in its response")
            self._retry(call.delivery, call.entries)
            return
        for code in codes:
            self._log.note(f"SQS refused an entry: {code}")
        self._settle(sent, None)
        self._settle(refused, SEND_FAILED)
        self._retry(call.delivery, to_retry)

    def _judge(self, call: Call, error: BaseException) -> None:
        delivery, entries = call.delivery, call.entries
        self._log.note(cause(error))
        if is_about_credentials(error):
            self._shared.note_outdated()
        verdict = judge(error)
        if verdict == "retry briefly":
            delivery.brief_attempts += 1
            verdict = "retry" if delivery.brief_attempts < _BRIEFLY else "drop"
        if verdict == "retry":
            self._retry(delivery, entries)
        elif verdict == "split" and len(entries) > 1:
            delivery.split(entries)
            self._continue(delivery)
        elif verdict == "unavailable":
            if call.client is None:
                self._shared.note_unavailable()
            self._settle(entries, CLIENT_UNAVAILABLE)
            self._continue(delivery)
        else:
            self._settle(entries, TOO_LARGE if error_code(error) == "BatchRequestTooLong" else SEND_FAILED)
            self._continue(delivery)

    def _retry(self, delivery: Delivery, entries: Sequence[Entry]) -> None:
        delivery.left_over += entries
        self._continue(delivery)

    def _continue(self, delivery: Delivery) -> None:
        """After a call: send the next part, or what is left over after a delay; or let go of the delivery."""
        delivery.is_calling = False
        if delivery.parts:
            return
        if delivery.left_over:
            if delivery.back_off(self._clock()):
                return
            self._settle(delivery.left_over, SEND_FAILED)
        self._deliveries.remove(delivery)

    def _settle(self, entries: Sequence[Entry], dropped_for: str | None) -> None:
        if entries:
            self._buffer.settle(entries, dropped_for)
            self._on_settled()
