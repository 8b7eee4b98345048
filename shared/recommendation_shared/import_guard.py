"""Imports inside functions, which a fork must not interrupt."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

FORK_WAIT: Final = 2.0  # seconds at most that a fork waits for an import; botocore's takes 0.06 s of a whole core


class ImportGuard:
    """Keeps a fork and the imports of `what` apart.

    A child inherits the lock of each module that another thread is importing, and nobody releases it there: the same
    import, by us or by the host, would wait forever. So a fork waits for the import to end, but not for long.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._importing = threading.RLock()  # a signal handler may import while its thread does
        self._is_broken = False  # by a fork that did not wait long enough
        self._forking: set[int] = set()  # the threads that hold the lock for a fork
        if hasattr(os, "register_at_fork"):  # not everywhere
            os.register_at_fork(
                before=self._before_fork,
                after_in_parent=self._after_fork_in_parent,
                after_in_child=self._after_fork_in_child,
            )

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Surround an import. Raises `ImportError` if it could hang, after a fork that did not wait for its end."""
        with self._importing:
            if self._is_broken:
                raise ImportError(f"{self._what} was being imported by another thread when this process was forked")
            yield

    def _before_fork(self) -> None:
        if self._importing.acquire(timeout=FORK_WAIT):
            self._forking.add(threading.get_ident())

    def _after_fork_in_parent(self) -> None:
        if threading.get_ident() in self._forking:
            self._forking.discard(threading.get_ident())
            self._importing.release()

    def _after_fork_in_child(self) -> None:
        self._is_broken = self._is_broken or threading.get_ident() not in self._forking
        self._forking = set()
        self._importing = threading.RLock()


# For what a host's thread imports of ours, which takes milliseconds. Botocore has a guard of its own, because no host's
# thread may wait for it.
importing: Final = ImportGuard("a module of recommendation_producer").importing
