"""What kind a callable or its result is: the answers of `inspect`, whose import takes a host 10 ms."""

from collections.abc import Awaitable
from functools import partial
from types import AsyncGeneratorType, CoroutineType, FunctionType, GeneratorType, MethodType
from typing import Any, Final

# Flags of code objects (Python Library Reference, "inspect", "Code Objects Bit Flags").
_GENERATOR: Final = 0x20
_COROUTINE: Final = 0x80
_ITERABLE_COROUTINE: Final = 0x100
_ASYNC_GENERATOR: Final = 0x200


def is_coroutine_function(value: Any) -> bool:
    """Return whether a function, method or partial is defined with `async def`."""
    return _is_function_with(_COROUTINE, value)


def is_generator_function(value: Any) -> bool:
    """Return whether a function, method or partial yields."""
    return _is_function_with(_GENERATOR, value)


def is_async_generator_function(value: Any) -> bool:
    """Return whether a function, method or partial is defined with `async def`, and yields."""
    return _is_function_with(_ASYNC_GENERATOR, value)


def is_coroutine(value: Any) -> bool:
    """Return whether a value is what a coroutine function returns."""
    return isinstance(value, CoroutineType)


def is_generator(value: Any) -> bool:
    """Return whether a value is what a generator function returns."""
    return isinstance(value, GeneratorType)


def is_async_generator(value: Any) -> bool:
    """Return whether a value is what an async generator function returns."""
    return isinstance(value, AsyncGeneratorType)


def is_awaitable(value: Any) -> bool:
    """Return whether a value can be awaited; generators can if `types.coroutine` made them."""
    if isinstance(value, GeneratorType):
        return bool(value.gi_code.co_flags & _ITERABLE_COROUTINE)
    return isinstance(value, Awaitable)


def _is_function_with(flag: int, value: Any) -> bool:
    while isinstance(value, MethodType | partial):
        value = value.__func__ if isinstance(value, MethodType) else value.func
    return isinstance(value, FunctionType) and bool(value.__code__.co_flags & flag)
