"""Every kind of callable can be decorated as a Lambda handler: it drains when its work ends, and behaves as before."""

import asyncio
import functools
import inspect
import types
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any

import pytest

from recommendation_producer import _callables
from recommendation_producer._draining.handler import drained


class Context:
    """A Lambda context with a second and a half left."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """Return the remaining time as the runtime does."""
        return 1_500


class Journal:
    """A producer that notes its drains among the handler's own steps."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def flush(self, timeout: float = 2.0, /) -> None:
        """Note a drain."""
        self.steps.append(f"drain {timeout}")

    async def aflush(self, timeout: float = 2.0, /) -> None:  # noqa: ASYNC109 - the producer's own signature
        """Note a drain, after other coroutines have had their turn."""
        await asyncio.sleep(0)
        self.steps.append(f"async drain {timeout}")


@pytest.fixture
def journal() -> Journal:
    """Return an empty journal."""
    return Journal()


async def _work(journal: Journal) -> str:
    await asyncio.sleep(0)
    journal.steps.append("work")
    return "done"


def _async_handlers(journal: Journal) -> Iterator[tuple[str, Callable[..., Awaitable[str]]]]:
    async def handler(_event: object, _context: object) -> str:
        return await _work(journal)

    class Instance:
        async def __call__(self, _event: object, _context: object) -> str:
            return await _work(journal)

        async def method(self, _event: object, _context: object) -> str:
            return await _work(journal)

    class CustomAwaitable:
        def __await__(self) -> Generator[Any, Any, str]:
            return _work(journal).__await__()

    @functools.wraps(handler)
    def wrapper(event: object, context: object) -> Awaitable[str]:
        return handler(event, context)

    yield "a coroutine function", handler
    yield "a coroutine function under a sync decorator", wrapper
    yield "an instance with an async __call__", Instance()
    yield "a bound async method", Instance().method
    yield "a partial of a coroutine function", functools.partial(handler)
    yield "a function that returns a task", lambda event, context: asyncio.ensure_future(handler(event, context))
    yield "a function that returns an awaitable", lambda _event, _context: CustomAwaitable()


@pytest.mark.parametrize("kind", [name for name, _ in _async_handlers(Journal())])
def test_awaitable_result_is_awaited_before_the_drain(kind: str, journal: Journal) -> None:
    """Wherever the awaitable comes from; with its drain it stays one awaitable."""
    handler = dict(_async_handlers(journal))[kind]

    async def main() -> str:
        return await drained(handler, journal)({}, Context())

    assert asyncio.run(main()) == "done"
    assert journal.steps == ["work", "async drain 1.0"]


def _sync_handlers(journal: Journal) -> Iterator[tuple[str, Callable[..., str]]]:
    def handler(_event: object, _context: object) -> str:
        journal.steps.append("work")
        return "done"

    class Instance:
        def __call__(self, event: object, context: object) -> str:
            return handler(event, context)

        def method(self, event: object, context: object) -> str:
            return handler(event, context)

        @staticmethod
        def static(event: object, context: object) -> str:
            return handler(event, context)

        @classmethod
        def of_class(cls, event: object, context: object) -> str:
            return handler(event, context)

    yield "a function", handler
    yield "an instance", Instance()
    yield "a bound method", Instance().method
    yield "a static method", Instance.static
    yield "a class method", Instance.of_class
    yield "a partial", functools.partial(handler)


@pytest.mark.parametrize("kind", [name for name, _ in _sync_handlers(Journal())])
def test_sync_handler_is_drained_when_it_returns(kind: str, journal: Journal) -> None:
    """Its result is its own."""
    handler = dict(_sync_handlers(journal))[kind]
    assert drained(handler, journal)({}, Context()) == "done"
    assert journal.steps == ["work", "drain 1.0"]


def test_decorated_method_finds_the_context_behind_self(journal: Journal) -> None:
    """Otherwise the event would be taken for the context, and the drain could exceed the remaining time."""

    class Executor:
        def handle(self, _event: object, context: Context) -> str:
            return context.aws_request_id

        handle = drained(handle, journal)

    assert Executor().handle({}, context=Context()) == "request-1"
    assert Executor().handle({}, Context()) == "request-1"
    assert journal.steps == ["drain 1.0", "drain 1.0"]


def test_event_that_cannot_be_inspected_does_not_break_the_handler(journal: Journal) -> None:
    """The drain then has its usual cap."""

    class Event:
        def __getattr__(self, name: str) -> object:
            raise ValueError(name)

    assert drained(lambda event, _context: event, journal)(event := Event(), Context()) is event
    assert journal.steps == ["drain 2.0"]


def _generators(journal: Journal) -> Iterator[tuple[str, Callable[..., Generator[str, str, str]]]]:
    def handler(_event: object, _context: object) -> Generator[str, str, str]:
        try:
            answer = yield "first"
            journal.steps.append(f"received {answer}")
            yield "second"
        finally:
            journal.steps.append("ended")
        return "result"

    @functools.wraps(handler)
    def wrapper(event: object, context: object) -> Generator[str, str, str]:
        return handler(event, context)

    yield "a generator function", handler
    yield "a generator function under a decorator", wrapper
    yield "a partial of a generator function", functools.partial(handler)


@pytest.mark.parametrize("kind", [name for name, _ in _generators(Journal())])
def test_streamed_response_is_drained_at_its_end(kind: str, journal: Journal) -> None:
    """A generator goes on after the call; values sent to it and its result pass through."""
    stream = drained(dict(_generators(journal))[kind], journal)({}, Context())
    assert next(stream) == "first"
    assert stream.send("answer") == "second"
    assert journal.steps == ["received answer"]
    with pytest.raises(StopIteration) as stopped:
        next(stream)
    assert stopped.value.value == "result"
    assert journal.steps == ["received answer", "ended", "drain 1.0"]


@pytest.mark.parametrize("kind", [name for name, _ in _generators(Journal())])
def test_stream_that_is_abandoned_is_drained_when_it_is_closed(kind: str, journal: Journal) -> None:
    """A client may hang up in the middle of the response."""
    stream = drained(dict(_generators(journal))[kind], journal)({}, Context())
    next(stream)
    stream.close()
    assert journal.steps == ["ended", "drain 1.0"]


def _async_generators(journal: Journal) -> Iterator[tuple[str, Callable[..., AsyncGenerator[str, str]]]]:
    async def handler(_event: object, _context: object) -> AsyncGenerator[str, str]:
        try:
            answer = yield "first"
            journal.steps.append(f"received {answer}")
            yield "second"
        except KeyError as error:
            journal.steps.append(f"caught {error}")
            yield "third"
        finally:
            journal.steps.append("ended")

    @functools.wraps(handler)
    def wrapper(event: object, context: object) -> AsyncGenerator[str, str]:
        return handler(event, context)

    yield "an async generator function", handler
    yield "an async generator function under a decorator", wrapper


@pytest.mark.parametrize("kind", [name for name, _ in _async_generators(Journal())])
async def test_async_stream_is_drained_at_its_end(kind: str, journal: Journal) -> None:
    """Values and exceptions that are sent to it pass through."""
    stream = drained(dict(_async_generators(journal))[kind], journal)({}, Context())
    assert await anext(stream) == "first"
    assert await stream.asend("answer") == "second"
    assert await stream.athrow(KeyError("thrown")) == "third"
    assert journal.steps == ["received answer", "caught 'thrown'"]
    assert [item async for item in stream] == []
    assert journal.steps[2:] == ["ended", "async drain 1.0"]


@pytest.mark.parametrize("kind", [name for name, _ in _async_generators(Journal())])
async def test_async_stream_that_is_abandoned_is_drained_when_it_is_closed(kind: str, journal: Journal) -> None:
    """Frameworks close a stream whose client has hung up."""
    stream = drained(dict(_async_generators(journal))[kind], journal)({}, Context())
    await anext(stream)
    await stream.aclose()
    assert journal.steps == ["ended", "async drain 1.0"]


class HandlerError(BaseException):
    """Also what is no `Exception` passes through, such as `SystemExit`."""


def _raising() -> Iterator[tuple[str, Callable[[Any], Any]]]:
    def function(_event: object) -> None:
        raise HandlerError

    async def coroutine(_event: object) -> None:
        raise HandlerError

    def generator(_event: object) -> Iterator[str]:
        yield "first"
        raise HandlerError

    async def async_generator(_event: object) -> AsyncIterator[str]:
        yield "first"
        raise HandlerError

    def decorator(event: object) -> Awaitable[None]:
        return coroutine(event)

    yield "function", function
    yield "coroutine", coroutine
    yield "coroutine under a decorator", decorator
    yield "generator", generator
    yield "async generator", async_generator


@pytest.mark.parametrize(("kind", "handler"), list(_raising()))
async def test_exception_passes_through_after_the_drain(
    kind: str, handler: Callable[[Any], Any], journal: Journal
) -> None:
    """Whatever raises it, and whenever."""

    async def consume() -> None:
        result = drained(handler, journal)({})
        if inspect.isasyncgen(result):
            async for item in result:
                assert item == "first"
        elif inspect.isgenerator(result):
            for item in result:
                assert item == "first"
        else:
            await result

    with pytest.raises(HandlerError):
        await consume()
    assert journal.steps == ["drain 2.0" if kind in ("function", "generator") else "async drain 2.0"]


async def test_cancelled_coroutine_is_drained_and_stays_cancelled(journal: Journal) -> None:
    """A host may cancel its own handler at a deadline of its own."""

    async def handler() -> None:
        await asyncio.sleep(60)

    task = asyncio.create_task(asyncio.wait_for(drained(handler, journal)(), 0.01))
    with pytest.raises(TimeoutError):
        await task
    assert journal.steps == ["async drain 2.0"]


def test_kind_and_metadata_of_the_handler_are_kept(journal: Journal) -> None:
    """Frameworks look at both before they call a handler."""

    async def coroutine() -> None:
        """Do something."""

    def generator() -> Iterator[None]:
        yield

    async def async_generator() -> AsyncIterator[None]:
        yield

    class Executor:
        """An executor."""

        def __call__(self) -> None:
            pass

    wrapped = drained(coroutine, journal)
    assert (wrapped.__name__, wrapped.__doc__, wrapped.__module__) == ("coroutine", "Do something.", __name__)
    assert inspect.unwrap(wrapped) is coroutine
    assert inspect.signature(wrapped) == inspect.signature(coroutine)
    assert inspect.iscoroutinefunction(wrapped)
    assert inspect.isgeneratorfunction(drained(generator, journal))
    assert inspect.isasyncgenfunction(drained(async_generator, journal))
    instance = drained(Executor(), journal)
    assert (instance.__name__, instance.__doc__) == ("Executor", "An executor.")
    assert drained(functools.partial(generator), journal).__name__ == "partial"


def _kinds_of_functions() -> list[Any]:
    async def coroutine() -> None:
        pass

    def generator() -> Iterator[int]:
        yield 1

    async def async_generator() -> AsyncIterator[int]:
        yield 1

    @types.coroutine
    def old_coroutine() -> Generator[Any, Any, None]:
        yield

    class Instance:
        async def method(self) -> None:
            pass

        @classmethod
        def of_class(cls) -> Iterator[int]:
            yield 1

        async def __call__(self) -> None:
            pass

    functions: list[Any] = [
        coroutine,
        generator,
        async_generator,
        old_coroutine,
        Instance().method,
        Instance.of_class,
        len,
    ]
    return [
        *functions,
        *(functools.partial(function) for function in functions),
        functools.partial(functools.partial(coroutine)),
        Instance(),
    ]


@pytest.mark.parametrize(
    ("ours", "inspects"),
    [
        (_callables.is_coroutine_function, inspect.iscoroutinefunction),
        (_callables.is_generator_function, inspect.isgeneratorfunction),
        (_callables.is_async_generator_function, inspect.isasyncgenfunction),
        (_callables.is_coroutine, inspect.iscoroutine),
        (_callables.is_generator, inspect.isgenerator),
        (_callables.is_async_generator, inspect.isasyncgen),
        (_callables.is_awaitable, inspect.isawaitable),
    ],
)
def test_kinds_of_callables_and_results_are_those_of_inspect(
    ours: Callable[[Any], bool], inspects: Callable[[Any], bool]
) -> None:
    """The module itself takes 10 ms to import, and few hosts need the rest of it."""
    functions = _kinds_of_functions()
    results = [function() for function in functions if function is not len and getattr(function, "func", 0) is not len]
    for value in (*functions, *results, None, "text", 1):
        assert ours(value) == inspects(value)
    for result in results:
        if hasattr(result, "close"):  # a coroutine that is never awaited
            result.close()
