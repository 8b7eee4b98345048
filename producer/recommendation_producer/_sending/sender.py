"""The sender: a daemon thread that takes batches from the buffer and delivers them, for the life of the sandbox."""

import threading
from typing import Final

from recommendation_producer._loss_log import LossLog
from recommendation_producer._sending.delivery import Setup
from recommendation_producer._sending.dispatcher import FULL_BATCH, HURRY, RENEW, STOP, Dispatcher
from recommendation_shared.aws_errors import error_code

NAME: Final = "recommendation-sender"
_CHECK: Final = 0.1  # seconds between checks that the thread is alive, while a flush waits for it


class Sender:
    """Starts the thread when it is needed, and again if it dies. All methods may be called from any thread."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._buffer = setup.buffer
        self._clock = setup.clock
        self._log = LossLog(setup.clock)
        self._thread: threading.Thread | None = None
        self._is_running = False  # like `is_alive` but without its lock; becomes false a moment earlier
        self._starting = threading.Lock()
        self._progress = threading.Condition()
        self._flush_mark = 0
        self._stopping = False
        self._dispatcher: Dispatcher | None = None

    @property
    def is_alive(self) -> bool:
        """Return whether the thread is running."""
        return self._thread is not None and self._thread.is_alive()

    def notice(self) -> None:
        """React to a new entry. Called for each one, so it wakes the thread only for a full batch.

        A wake-up is a system call, during which the sender takes the interpreter from the caller. At every tenth
        enqueue of a burst it would cost more than everything else, so the thread rests a while after each.
        """
        if not self._is_running:
            self.ensure_running()
        dispatcher = self._dispatcher
        if dispatcher is not None and not dispatcher.was_woken and self._buffer.holds_full_batch():
            dispatcher.was_woken = True
            dispatcher.inbox.put(FULL_BATCH)

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
                self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)
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
        self._tell(HURRY)

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

    def renew_client(self) -> None:
        """Make the next call with a new client: with other credentials, and on a new connection."""
        self._tell(RENEW)

    def stop(self, timeout: float) -> None:
        """Stop the thread and wait up to `timeout` seconds for its end; the entries it holds stay unsettled."""
        self._stopping = True
        self._tell(STOP)
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout)

    def _tell(self, message: str) -> None:
        if self._dispatcher is not None:
            self._dispatcher.inbox.put(message)

    def _run(self) -> None:
        self._is_running = True
        try:
            dispatcher = Dispatcher(self._setup, self._log, lambda: self._flush_mark, self._notify)
            self._dispatcher = dispatcher  # from now on, other threads may wake it
            if not self._stopping:
                dispatcher.run()
        except BaseException as error:  # noqa: BLE001 - reported; the next enqueue or flush starts a successor
            self._log.note(f"the sender stopped: {error_code(error)}")
            self._log.report(self._buffer.balance())
        finally:
            self._is_running = False

    def _notify(self) -> None:
        with self._progress:
            self._progress.notify_all()
