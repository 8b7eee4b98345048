"""Draining after the response: an internal Lambda extension, which keeps the sandbox awake for the drain.

The one rule: the extension asks for the next invocation in time, whatever happens to the producer. As long as it does
not, the sandbox takes no other invocation, and once the function's timeout has passed, Lambda ends it.
"""

import itertools
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from recommendation_producer._draining.handler import CAP, MARGIN
from recommendation_producer._loss_log import LOGGER
from recommendation_producer._sending.call_threads import CallThread
from recommendation_shared.import_guard import importing

if TYPE_CHECKING:
    from recommendation_producer._draining.extensions_api import ExtensionsApi, Invoke

THREAD: Final = "recommendation-extension"
GRACE: Final = 1.0  # seconds to wait for a handler to start, since another one than ours may have been invoked
SLACK: Final = 0.1  # seconds for a flush to return after its deadline; part of the margin
REGISTRATION: Final = 1.0  # seconds that the host waits for the registration; it takes a millisecond
_RETRIES: Final = (0.05, 0.2, 1.0)  # seconds between failed requests for the next invocation; the last one repeats
_NUMBERS: Final = itertools.count(1)


class Extension:
    """Calls `drain` with a number of seconds after each invocation whose handler has ended.

    Threads: its own, which asks for invocations; one for the drain, which may hang; and those that run the handler and
    call `begin`, `pause` and `end`. In a forked child, where its threads do not exist, it takes nothing over.
    """

    def __init__(
        self,
        drain: Callable[[float], object],
        api: "Callable[[], ExtensionsApi]",
        note_fallback: Callable[[], None],
        grace: float = GRACE,
    ) -> None:
        self._drain = drain
        self._open_api = api
        self._note_fallback = note_fallback
        self._grace = grace
        self._pid = os.getpid()
        self._registered = threading.Event()
        self._state = threading.Condition()
        self._is_asking = False
        self._begun = ""
        self._depth = 0  # of nested handlers
        self._idle_since = 0.0
        self._ended = ""
        self._let_go = ""  # the invocation for which the extension no longer keeps the sandbox awake
        self._expects_handler = True
        self._is_drained = threading.Event()
        self._is_drained.set()

    def register(self) -> None:
        """Register, or log why that is impossible; then `end` takes nothing over.

        It works only while the sandbox initialises. The thread asks for the first invocation even if the registration
        takes longer than this waits for it, since without that the initialisation would not end.
        """
        try:
            self._drainer = CallThread()
            self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
            self._thread.start()
        except RuntimeError as error:  # out of threads
            _log_failure(error)
        else:
            if not self._registered.wait(REGISTRATION):
                LOGGER.warning("Lambda has not answered the extension's registration within %s s", REGISTRATION)

    def begin(self, request_id: str) -> None:
        """Note that the handler starts or continues."""
        if os.getpid() != self._pid:
            return
        with self._state:
            if request_id != self._begun:  # also if a generator of an earlier invocation was never closed
                self._begun, self._depth = request_id, 0
            self._depth += 1
            self._expects_handler = True
            self._state.notify_all()

    def pause(self, request_id: str) -> None:
        """Note that the handler has returned something which may call `begin` again, or may not."""
        if os.getpid() != self._pid:
            return
        with self._state:
            if request_id == self._begun:
                self._depth -= 1
                self._idle_since = time.monotonic()
                self._state.notify_all()

    def end(self, request_id: str) -> bool:
        """Return whether the extension drains: it awaits this invocation, or its end."""
        if os.getpid() != self._pid:
            return False
        with self._state:
            takes_over = self._is_asking and request_id == self._begun and request_id not in ("", self._let_go)
            if takes_over:
                self._depth -= 1
                if self._depth == 0:  # otherwise the outer handler ends later
                    self._ended = request_id
                    self._state.notify_all()
        if not takes_over:
            self._note_fallback()
        return takes_over

    def _run(self) -> None:
        api = None
        try:
            api = self._open_api()
            api.register(f"recommendation-producer-{next(_NUMBERS)}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the handler drains instead, and that is counted
            _log_failure(error)
            self._registered.set()
            if api is not None:
                api.close()
            return
        delays = iter(_RETRIES)
        while True:
            with self._state:
                self._is_asking = True
            self._registered.set()
            try:
                invoke = api.next_invoke()
                if invoke is not None:
                    self._attend(invoke)
                delays = iter(_RETRIES)
            except BaseException as error:  # noqa: BLE001 - ask again, whatever it is; meanwhile the handler drains
                with self._state:
                    self._is_asking = False
                LOGGER.warning("the extension asks Lambda again: %s: %s", type(error).__name__, error)
                time.sleep(next(delays, _RETRIES[-1]))

    def _attend(self, invoke: "Invoke") -> None:
        deadline = time.monotonic() + invoke.deadline_ms / 1000 - time.time() - MARGIN
        if not self._wait_for_end(invoke.request_id, deadline):
            return
        if not self._is_drained.is_set():  # the last drain hangs, although a flush has a deadline
            LOGGER.warning("the drain of an earlier invocation has not ended")
            return
        self._is_drained.clear()
        seconds = max(0.0, min(CAP, deadline - time.monotonic()))

        def work() -> bool:
            try:
                self._drain(seconds)
            except BaseException as error:  # noqa: BLE001 - reported; the thread has to live
                LOGGER.warning("draining after the response failed: %s", type(error).__name__)
            finally:
                self._is_drained.set()
            return True

        self._drainer.give(work)
        self._is_drained.wait(seconds + SLACK)

    def _wait_for_end(self, request_id: str, deadline: float) -> bool:
        """Return whether the handler has ended; False if it runs too long, or is not called at all."""
        with self._state:
            self._let_go = ""
            idle_since = time.monotonic()
            while self._ended != request_id:
                is_running = self._begun == request_id and self._depth > 0
                until = deadline
                if not is_running:
                    grace = self._grace if self._expects_handler else 0.0
                    until = min(deadline, max(idle_since, self._idle_since) + grace)
                left = until - time.monotonic()
                if left <= 0:
                    self._expects_handler = is_running
                    break
                self._state.wait(left)
            has_ended = self._ended == request_id
            self._let_go, self._ended = request_id, ""
            return has_ended


def open_api() -> "ExtensionsApi":
    """Return Lambda's API; raise `RuntimeError` elsewhere."""
    with importing():
        from recommendation_producer._draining.extensions_api import ExtensionsApi  # noqa: PLC0415 - 10 ms, on its thread

    address = os.environ.get("AWS_LAMBDA_RUNTIME_API")
    if not address:
        raise RuntimeError("AWS_LAMBDA_RUNTIME_API is not set, so this is not Lambda")
    return ExtensionsApi(address)


def _log_failure(error: Exception) -> None:
    LOGGER.warning(
        "the handler drains before its response, because the extension is not registered: %s: %s",
        type(error).__name__,
        error,
    )
