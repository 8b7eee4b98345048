"""Call what waits for AWS in a thread that nobody has to wait for."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """Return what a call returns, or raise what it raises.

    The thread is a daemon, unlike those of asyncio and anyio: at Ctrl-C, a call may wait for AWS for another minute.
    Cancelling does not end the call, whose result is then dropped.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # None only if T is

    def run() -> None:
        result, problem = None, None
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - raised again for whoever waits
            problem = error
        with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            loop.call_soon_threadsafe(settle, result, problem)

    Thread(target=run, name="recs-ui", daemon=True).start()
    return await future
