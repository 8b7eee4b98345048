"""Record the outputs of agents that no graph runs: plain functions, and other frameworks through `adapters`.

@records(agent_type="signal-intelligence")
def analyse(evidence): ...

with recording(producer, incident_id="incident-123", execution_id="execution-1"):
    findings = analyse(evidence)
"""

import functools
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

from recommendation_producer._callables import (
    is_async_generator_function,
    is_coroutine,
    is_coroutine_function,
    is_generator_function,
)
from recommendation_producer._handing_over import ACTIVE, Enqueues, Recording, hand_over, now, warn_once

__all__ = ["Enqueues", "recording", "records"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


@contextmanager
def recording(producer: Enqueues, *, incident_id: object, execution_id: object) -> Iterator[None]:
    """Record what agents return within this block, as recommendations about one incident by one execution.

    It holds for coroutines and tasks started in the block, and for threads that run in its context, as those of
    `asyncio.to_thread` do; other threads need a block of their own. Blocks may be nested, and the innermost counts.
    """
    token = ACTIVE.set(Recording(producer, incident_id, execution_id))
    try:
        yield
    finally:
        ACTIVE.reset(token)


def records(
    *, agent_type: str, metadata: Mapping[str, Any] | None = None
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Decorate a function, sync or async, that is an agent: whatever it returns or raises is also recorded.

    A mapping, model or dataclass gives the recommendation, and its `confidence`, `reasoning` and `citations` if it has
    them; any other value is kept under `output`. The instant is that of the return. An exception is recorded as a
    failure and raised again. `metadata` is added to each recommendation, such as an agent's version. Results and
    exceptions stay as they are, and outside a `recording` block the function works as if it were not decorated, but
    the log says so once. A generator function has no single output, so it is left alone, which the log also says.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        if is_generator_function(function) or is_async_generator_function(function):
            warn_once(agent_type, "it is a generator function; decorate the function that consumes it")
            return function

        @functools.wraps(function)
        def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> Any:
            run = _Run(agent_type, metadata or {})
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                run.end({}, error)
                raise
            if is_coroutine(result):
                return run.awaited(cast("Awaitable[Any]", result))
            run.end(result)
            return result

        @functools.wraps(function)
        async def async_wrapper(*args: _P.args, **kwargs: _P.kwargs) -> Any:
            return await _Run(agent_type, metadata or {}).awaited(cast("Awaitable[Any]", function(*args, **kwargs)))

        return cast("Callable[_P, _R]", async_wrapper if is_coroutine_function(function) else wrapper)

    return decorate


class _Run:
    """One call of an agent."""

    def __init__(self, agent_type: str, metadata: Mapping[str, Any]) -> None:
        self._agent_type = agent_type
        self._metadata = metadata
        self._started = time.monotonic()

    async def awaited(self, result: Awaitable[Any]) -> Any:
        """Return what a coroutine returns, and record it."""
        try:
            output = await result
        except BaseException as error:
            self.end({}, error)
            raise
        self.end(output)
        return output

    def end(self, output: object, error: BaseException | None = None) -> None:
        """Record the output, or the failure."""
        metadata = {"durationMs": round((time.monotonic() - self._started) * 1000), **self._metadata}
        hand_over(self._agent_type, output, timestamp=now(), metadata=metadata, error=error)
