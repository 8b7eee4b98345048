"""Files that appear whole or not at all, and survive a power cut once they are there."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from recommendation_cli.file_lock import lock


@contextmanager
def durable_file(path: Path, *, replace: bool = True, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Yield a binary stream whose content becomes the file `path` when the block ends without an error.

    Until then it is in `PATH.new`, which is removed after an error; what a killed process left there is removed too.
    `mode` is the file's permission bits, before the umask. Raises `OSError`: `FileExistsError` when the file
    exists and `replace` is false, `BlockingIOError` when another process is writing it, ENOLCK without file locks, and
    what `replaceable` raises.
    """
    if replace:
        path = replaceable(path)
    temporary = path.with_name(f"{path.name}.new")
    with _create_alone(temporary, mode) as stream:
        try:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            if replace:
                temporary.replace(path)
            else:
                os.link(temporary, path)  # unlike a rename, it never replaces a file
                temporary.unlink()
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    sync_folder(path.parent)


def replaceable(path: Path) -> Path:
    """Return the file that a path leads to, so that a rename replaces that file and not a symbolic link to it.

    Raises `OSError` (EINVAL) for a device or a pipe, such as /dev/stdout, which a rename would turn into a file.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "Not a regular file")
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def rename_durably(source: Path, target: Path) -> None:
    """Rename a file whose content is on disk; replace the target."""
    source.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on disk: fsync of a file does not cover its name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create_alone(path: Path, mode: int) -> BinaryIO:
    """Create a file that no other process writes. A lock ends with its process, unlike a file that marks one."""
    while True:
        try:
            stream = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")
        except FileExistsError:
            _remove_left_over(path)
            continue
        try:
            if _is_ours(path, stream):
                return stream
        except BlockingIOError:
            raise
        except OSError:  # there are no locks here
            path.unlink(missing_ok=True)
            raise
        stream.close()  # another process took it for a left-over before it was locked


def _remove_left_over(path: Path) -> None:
    """Remove the file of a killed process; it is never truncated, as it may be a second name of a finished file."""
    try:
        stream = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")
    except FileNotFoundError:
        return
    with stream:
        if _is_ours(path, stream):
            path.unlink()


def _is_ours(path: Path, stream: BinaryIO) -> bool:
    """Lock an open file and return whether `path` still names it. Closes it and raises as `lock` does."""
    try:
        lock(stream)
        return os.path.samestat(path.lstat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False
    except OSError:
        stream.close()
        raise
