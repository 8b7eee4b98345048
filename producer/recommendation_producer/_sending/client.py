"""The SQS client that the sender shares among its call threads: when to create, replace and give it up."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from recommendation_producer._sending.delivery import SqsClient

RENEWAL: Final = 5.0  # seconds at least between two new clients, which cost 50 ms each
UNAVAILABLE: Final = 60.0  # seconds between two attempts to load a client that cannot be loaded
FORK_WAIT: Final = 2.0  # seconds at most that a fork waits for botocore's import, which takes 0.06 s of a whole core


class SharedClient:
    """The current client, if there is one. Used by the sender's thread only; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.client: SqsClient | None = None
        self._clock = clock
        self._is_outdated = False
        self._renewed_at = float("-inf")
        self._unavailable_until = float("-inf")

    @property
    def is_unavailable(self) -> bool:
        """Whether creating a client failed in a way that no retry can cure, less than `UNAVAILABLE` seconds ago."""
        return self.client is None and self._clock() < self._unavailable_until

    def note_unavailable(self) -> None:
        """Remember that no client can be created."""
        self._unavailable_until = self._clock() + UNAVAILABLE

    def note_outdated(self) -> None:
        """Remember that a new client is needed: one never looks for other credentials, or its connections are dead."""
        self._is_outdated = True

    def forget_if_outdated(self) -> None:
        """Let the next call create a client, unless the last such time is too recent."""
        if self._is_outdated and self._clock() >= self._renewed_at + RENEWAL:
            self._is_outdated, self._renewed_at, self.client = False, self._clock(), None

    def close(self) -> None:
        """Close its connections. No call may be in flight."""
        client: Any = self.client
        with suppress(Exception):  # the first versions of botocore's clients have no such method
            client.close()


class _ImportGuard:
    """Keeps a fork and the import of botocore apart.

    A child inherits the lock of each module that another thread is importing, and nobody releases it there: our own
    import, and the host's `import boto3`, would wait forever. So a fork waits for the import to end, but not for long.
    """

    def __init__(self) -> None:
        self._importing = threading.Lock()
        self._is_broken = False  # by a fork that did not wait long enough
        self._forking: set[int] = set()  # the threads that hold the lock for a fork

    def open_client(self, region_name: str | None, endpoint_url: str | None) -> Any:
        """Import botocore and return a client. Raises `ImportError` if botocore does not load, or could hang."""
        with self._importing:
            if self._is_broken:
                raise ImportError("botocore was being imported by another thread when this process was forked")
            try:
                from recommendation_producer._sending import sqs_client  # noqa: PLC0415 - imports botocore
            except ImportError:
                raise
            except BaseException as error:  # also `SystemExit`: a retry would fail in the same way
                raise ImportError(f"botocore does not load: {type(error).__name__}: {error}") from error
        return sqs_client.open_client(region_name, endpoint_url)

    def before_fork(self) -> None:
        if self._importing.acquire(timeout=FORK_WAIT):
            self._forking.add(threading.get_ident())

    def after_fork_in_parent(self) -> None:
        if threading.get_ident() in self._forking:
            self._forking.discard(threading.get_ident())
            self._importing.release()

    def after_fork_in_child(self) -> None:
        self._is_broken = self._is_broken or threading.get_ident() not in self._forking
        self._forking = set()
        self._importing = threading.Lock()


_GUARD: Final = _ImportGuard()
open_client: Final = _GUARD.open_client

if hasattr(os, "register_at_fork"):  # not everywhere
    os.register_at_fork(
        before=_GUARD.before_fork,
        after_in_parent=_GUARD.after_fork_in_parent,
        after_in_child=_GUARD.after_fork_in_child,
    )
