"""The decorator for a Lambda handler, which drains the producer before the sandbox freezes."""

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, ParamSpec, Protocol, TypeVar, cast

from recommendation_producer._callables import (
    is_async_generator,
    is_async_generator_function,
    is_awaitable,
    is_coroutine_function,
    is_generator,
    is_generator_function,
)
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


class TakesOver(Protocol):
    """Drains after the response, if it can. It is told when the handler runs."""

    def begin(self, request_id: str) -> None:
        """Note that the handler starts or continues."""

    def pause(self, request_id: str) -> None:
        """Note that the handler has returned an awaitable or a generator, which may not be used at all."""

    def end(self, request_id: str) -> bool:
        """Note that the handler has ended; return whether the drain is taken over."""


def budget(context: object, cap: float = CAP, margin: float = MARGIN) -> float:
    """Return the seconds that a drain may take: `min(cap, remaining time - margin)`, never below zero.

    Call it when the drain begins: a deadline computed earlier may have passed during a freeze. The budget is the cap
    if the context does not report the remaining time (a local run, or a stand-in that raises).
    """
    remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
    if not callable(remaining_ms):
        return cap
    try:
        remaining = float(remaining_ms()) / 1000
    except Exception:  # noqa: BLE001 - a stand-in for Lambda's context, which may do anything
        return cap
    return max(0.0, min(cap, remaining - margin))


def drained(
    handler: Callable[_P, _R],
    drains: Drains,
    *,
    takes_over: TakesOver | None = None,
    cap: float = CAP,
    margin: float = MARGIN,
) -> Callable[_P, _R]:
    """Wrap a handler of any kind: drain after every call, and never change its result or exception.

    A coroutine function is drained when its coroutine ends, a generator function when its generator does, and so is a
    sync callable that returns an awaitable or a generator. What it returns is then awaited or iterated as before.
    """

    def start(*args: object, **kwargs: object) -> _Invocation:
        return _Invocation(drains, takes_over, (*args, *kwargs.values()), cap, margin)

    wrapped: Callable[..., Any] = _called
    for is_kind, wrap in _LAZY:
        if is_kind(handler):
            wrapped = wrap
    wrapper = functools.wraps(handler)(wrapped(handler, start))
    if not hasattr(handler, "__name__"):  # a partial, or an instance of a class
        wrapper.__name__ = type(handler).__name__
    return cast("Callable[_P, _R]", wrapper)


class _Invocation:
    """One call of the handler: a context manager, sync and async, that drains at its end. It never raises."""

    def __init__(
        self, drains: Drains, takes_over: TakesOver | None, values: Iterable[object], cap: float, margin: float
    ) -> None:
        self._drains = drains
        self._takes_over = takes_over
        self._context: object = None
        self._cap = cap
        self._margin = margin
        with _reported():
            # By what it can do, not by its position: a method has `self` before the event.
            found = (value for value in values if callable(getattr(value, "get_remaining_time_in_millis", None)))
            self._context = next(found, None)

    def __enter__(self) -> None:
        if self._takes_over is not None:
            with _reported():
                self._takes_over.begin(self._request_id())

    def __exit__(self, *_: object) -> None:
        with _reported():
            if not self._is_taken_over():
                self._drains.flush(budget(self._context, self._cap, self._margin))

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        with _reported():
            if not self._is_taken_over():
                await self._drains.aflush(budget(self._context, self._cap, self._margin))

    def pause(self) -> None:
        """Leave without draining: the handler's result may be entered later, or never."""
        if self._takes_over is not None:
            with _reported():
                self._takes_over.pause(self._request_id())

    def _is_taken_over(self) -> bool:
        return self._takes_over is not None and self._takes_over.end(self._request_id())

    def _request_id(self) -> str:
        return str(getattr(self._context, "aws_request_id", ""))


_Start = Callable[..., _Invocation]


def _called(handler: Callable[..., Any], start: _Start) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:
        invocation = start(*args, **kwargs)
        invocation.__enter__()
        try:
            result = handler(*args, **kwargs)
        except BaseException:
            invocation.__exit__()
            raise
        for is_kind, wrap in _LAZY_RESULTS:
            if is_kind(result):
                invocation.pause()
                return wrap(lambda: result, lambda: invocation)()
        invocation.__exit__()
        return result

    return called


def _awaited(handler: Callable[..., Awaitable[Any]], start: _Start) -> Callable[..., Awaitable[Any]]:
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        async with start(*args, **kwargs):
            return await handler(*args, **kwargs)

    return awaited


def _streamed(
    handler: Callable[..., Generator[Any, Any, Any]], start: _Start
) -> Callable[..., Generator[Any, Any, Any]]:
    def streamed(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with start(*args, **kwargs):
            return (yield from handler(*args, **kwargs))

    return streamed


def _streamed_async(
    handler: Callable[..., AsyncGenerator[Any, Any]], start: _Start
) -> Callable[..., AsyncGenerator[Any, Any]]:
    async def streamed_async(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        async with start(*args, **kwargs):
            stream = handler(*args, **kwargs)
            try:
                item = await anext(stream)
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as error:  # noqa: BLE001 - passed on to the handler's generator
                        item = await stream.athrow(error)
                    else:
                        item = await stream.asend(sent)
            except StopAsyncIteration:
                return
            finally:
                await stream.aclose()

    return streamed_async


_LAZY: Final[Iterable[tuple[Callable[[Any], bool], Callable[..., Any]]]] = (
    (is_coroutine_function, _awaited),
    (is_generator_function, _streamed),
    (is_async_generator_function, _streamed_async),
)
_LAZY_RESULTS: Final[Iterable[tuple[Callable[[Any], bool], Callable[..., Any]]]] = (
    (is_awaitable, _awaited),
    (is_generator, _streamed),
    (is_async_generator, _streamed_async),
)


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the handler's own result or exception takes precedence
        LOGGER.warning("draining failed: %s", type(error).__name__)
