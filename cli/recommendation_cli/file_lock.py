"""Locks on open files, which end with their process."""

import errno
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # checked below


def lock(stream: IO[Any]) -> None:
    """Lock an open file for this process alone.

    Raises `BlockingIOError` when another process has the lock, and another `OSError` where there are no locks: on
    Windows, and on some network file systems (ENOLCK).
    """
    if fcntl is None:
        raise OSError(errno.ENOLCK, "it takes file locks of POSIX, which Windows lacks; run recs in WSL")
    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
