"""The calls that the sender waits for, each on a thread of its own, and those it has given up."""

import time
from typing import Final

from recommendation_producer._sending.call_threads import CallThreads
from recommendation_producer._sending.delivery import Call, Delivery, Report, Setup, SqsClient

IN_FLIGHT: Final = 4  # batches; enough to empty a burst of 1,000 within a flush of 2 s at 50 ms a call
STUCK: Final = 8  # threads whose calls were given up and have not ended; beyond that, wait for one of them
WATCH: Final = 1.0  # seconds between checks of the calls in flight, at most


class CallsInFlight:
    """Used by the sender's thread only; `report` is called on the calls' threads."""

    def __init__(self, setup: Setup, report: Report) -> None:
        self._setup = setup
        self._report = report
        self._threads = CallThreads(IN_FLIGHT + STUCK)
        self._calls: set[Call] = set()
        self._watched_at = time.monotonic()

    def __bool__(self) -> bool:
        """Return whether any call is waited for."""
        return bool(self._calls)

    @property
    def is_creating_client(self) -> bool:
        """Whether one of the calls was started without a client, and so creates it."""
        return any(call.creates_client for call in self._calls)

    def start(self, delivery: Delivery, client: SqsClient | None) -> bool:
        """Start a call for the delivery's first part; return False if every thread is busy."""
        call = Call(delivery, delivery.parts[0], client, self._report)
        try:
            call.thread = self._threads.lend()
        except RuntimeError:  # the interpreter is shutting down or out of threads: better here than never
            pass
        else:
            if call.thread is None:
                return False
        del delivery.parts[0]
        delivery.is_calling = True
        self._calls.add(call)

        def make() -> bool:
            return call.make(self._setup.queue_url, self._setup.client_factory)

        if call.thread is None:
            make()
        else:
            call.thread.give(make)
        return True

    def end(self, call: Call) -> bool:
        """Take back the thread of a call that has ended; return False if the call had been given up before."""
        if call.thread is not None:
            self._threads.take_back(call.thread, has_ended=call.ends_thread)
        was_waited_for = call in self._calls
        self._calls.discard(call)
        return was_waited_for

    def give_up_overdue(self) -> list[Call]:
        """Return the calls that have taken too long, and wait for them no longer.

        Counts real time, and only while awake: the response may have arrived during a freeze.
        """
        now = time.monotonic()
        elapsed, self._watched_at = min(now - self._watched_at, WATCH), now
        for call in self._calls:
            call.awake += elapsed
        overdue = [call for call in self._calls if call.awake >= self._setup.call_limit]
        self._calls.difference_update(overdue)
        return overdue

    def stop(self, timeout: float) -> None:
        """End the threads, the busy ones after their calls; wait up to `timeout` seconds for each idle one."""
        self._threads.stop(timeout)
