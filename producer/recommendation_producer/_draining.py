"""The decorator for a Lambda handler, which drains the producer before the sandbox freezes."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, ParamSpec, Protocol, TypeVar, cast

from recommendation_producer._loss_log import LOGGER

CAP: Final = 2.0  # seconds that a drain adds to an invocation, at most
MARGIN: Final = 0.5  # seconds left for the runtime to respond before Lambda kills the sandbox

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Drains(Protocol):
    """A producer, which can be drained within a number of seconds."""

    def flush(self, timeout: float = ..., /) -> object:
        """Drain from sync code."""

    def aflush(self, timeout: float = ..., /) -> Awaitable[object]:
        """Drain from a coroutine."""


def budget(context: object, cap: float = CAP, margin: float = MARGIN) -> float:
    """Return the seconds that a drain may take: `min(cap, remaining time - margin)`, never below zero.

    Call it when the drain begins: a deadline computed earlier may have passed during a freeze. The budget is the cap
    if the context does not report the remaining time (a local run).
    """
    remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
    if not callable(remaining_ms):
        return cap
    return max(0.0, min(cap, float(remaining_ms()) / 1000 - margin))


def drained(handler: Callable[_P, _R], drains: Drains, *, cap: float = CAP, margin: float = MARGIN) -> Callable[_P, _R]:
    """Wrap a sync or async handler: drain after every call, and never change its result or exception."""
    if inspect.iscoroutinefunction(handler):

        @functools.wraps(handler)
        async def drained_async(*args: _P.args, **kwargs: _P.kwargs) -> Any:
            try:
                return await handler(*args, **kwargs)
            finally:
                with _reported():
                    await drains.aflush(budget(_context(args, kwargs), cap, margin))

        return cast("Callable[_P, _R]", drained_async)

    @functools.wraps(handler)
    def drained_sync(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return handler(*args, **kwargs)
        finally:
            with _reported():
                drains.flush(budget(_context(args, kwargs), cap, margin))

    return drained_sync


def _context(args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
    return args[1] if len(args) > 1 else kwargs.get("context")


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the handler's own result or exception takes precedence
        LOGGER.warning("draining failed: %s", type(error).__name__)
