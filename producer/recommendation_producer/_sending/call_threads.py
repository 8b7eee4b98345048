"""Daemon threads for blocking calls, so that a call that hangs blocks only its own thread."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

NAME: Final = "recommendation-call"

Work = Callable[[], bool]


class CallThread:
    """One daemon thread, which does one piece of work at a time; `give(None)` ends it, and so does a false result."""

    def __init__(self) -> None:
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)
        self._thread.start()

    def give(self, work: Work | None) -> None:
        """Do this work next. Work must not raise."""
        self._work.put(work)

    def join(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for the thread's end."""
        self._thread.join(timeout)

    def _run(self) -> None:
        while (work := self._work.get()) is not None and work():
            pass


class CallThreads:
    """Reuses idle threads and starts others when needed, at most `most` at a time; used by one thread only."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._idle: list[CallThread] = []
        self._busy: set[CallThread] = set()

    def lend(self) -> CallThread | None:
        """Return an idle or a new thread, or None if all are busy.

        Raises `RuntimeError` if no thread can be started: at interpreter shutdown, or when the system has no more.
        """
        if not self._idle and len(self._busy) >= self._most:
            return None
        thread = self._idle.pop() if self._idle else CallThread()
        self._busy.add(thread)
        return thread

    def take_back(self, thread: CallThread, *, has_ended: bool) -> None:
        """Keep a thread that has finished its work for the next call, unless the thread has ended with it."""
        self._busy.discard(thread)
        if not has_ended:
            self._idle.append(thread)

    def stop(self, timeout: float) -> None:
        """End the idle threads now and the busy ones after their calls; wait for the idle ones."""
        for thread in (*self._idle, *self._busy):
            thread.give(None)
        for thread in self._idle:
            thread.join(timeout)
