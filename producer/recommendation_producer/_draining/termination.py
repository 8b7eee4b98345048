"""SIGTERM: what is pending is sent if time allows, and counted, before the process ends."""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from recommendation_producer._loss_log import LOGGER

if TYPE_CHECKING:
    import weakref

# Seconds for all producers together. Lambda leaves 500 ms to a runtime with an internal extension, and without any
# extension it sends no SIGTERM (AWS Lambda Developer Guide, "Lambda execution environment lifecycle").
BUDGET: Final = 0.3

# Called with the seconds that are left, and with whether the process ends now.
Terminate = Callable[[float, bool], None]

_TARGETS: Final[list["weakref.WeakMethod[Terminate]"]] = []


class _Handler:
    """The handler of SIGTERM; the one that was installed before is called after it."""

    def __init__(self, previous: Any) -> None:
        self._previous = previous

    def __call__(self, number: int, frame: FrameType | None) -> None:
        # A handler that the host installed later may call this one, and does not expect the process to end here.
        is_final = self._previous is signal.SIG_DFL and signal.getsignal(number) is self
        deadline = time.monotonic() + BUDGET
        for reference in tuple(_TARGETS):
            terminate = reference()
            if terminate is not None:
                try:
                    terminate(max(0.0, deadline - time.monotonic()), is_final)
                except Exception as error:  # noqa: BLE001 - the host's own handler has to run
                    LOGGER.warning("draining at SIGTERM failed: %s", type(error).__name__)
        if callable(self._previous):
            self._previous(number, frame)
        elif is_final:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)


def call_at_sigterm(terminate: "weakref.WeakMethod[Terminate]") -> None:
    """Call `terminate` at SIGTERM, if a handler can be installed: by the main thread, and only over a Python one.

    SIGTERM is left alone where the host ignores it or handles it outside of Python. A handler that the host installs
    later replaces this one.
    """
    _TARGETS.append(terminate)
    if threading.current_thread() is not threading.main_thread():
        return
    previous = signal.getsignal(signal.SIGTERM)
    if previous is None or previous is signal.SIG_IGN or isinstance(previous, _Handler):
        return
    try:
        signal.signal(signal.SIGTERM, _Handler(previous))
    except ValueError:  # in a subinterpreter, whose main thread is not the process's
        return
