"""The file of an export while it grows: FILE.part with its bytes, FILE.state with how far they are good."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Self

from recommendation_cli.export.paging import State, StateError


class GrowingFile:
    """Grows by whole pages. Whatever ends the process, `resume` finds the last page that was written whole.

    A page's bytes reach the disk before the state that counts them, and what the state does not count is cut off.
    """

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self._path = path
        self._stream = stream
        # Two processes that grow one file would each count only its own pages. Ends with the process.
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            raise

    @classmethod
    def create(cls, path: Path, *, overwrite: bool) -> Self:
        """Begin a file; raise `FileExistsError`, with the path that is there, rather than replace one unasked.

        Raises `BlockingIOError` when another process is at it.
        """
        if not overwrite:
            for there in (path, state_path(path)):
                if there.exists():
                    raise FileExistsError(str(there))
        grown = cls(path, part_path(path).open("ab"))
        grown._stream.truncate(0)  # only now that it is ours
        state_path(path).unlink(missing_ok=True)
        return grown

    @classmethod
    def resume(cls, path: Path) -> tuple[Self, State]:
        """Reopen a file at the end of its last whole page.

        Raises `FileNotFoundError` when there is nothing to go on with, `StateError` when the files do not belong
        together, and `BlockingIOError` when another process is at it.
        """
        try:
            state = State.from_json(json.loads(state_path(path).read_bytes()))
        except ValueError as error:
            raise StateError(f"{state_path(path)} is not the state of an export ({error})") from None
        stream = part_path(path).open("r+b")
        grown = cls(path, stream)
        if stream.seek(0, os.SEEK_END) < state.progress.size:
            stream.close()
            raise StateError(f"{part_path(path)} is shorter than {state_path(path)} says")
        stream.truncate(state.progress.size)
        stream.seek(state.progress.size)
        return grown, state

    def append(self, page: bytes, state: State) -> None:
        """Add a page for good, and note the state in which the file then is."""
        self._stream.write(page)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        fresh = self._path.with_name(f"{self._path.name}.state.new")
        with fresh.open("w") as stream:
            json.dump(state.to_json(), stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(state_path(self._path))

    def finish(self) -> None:
        """Give the file its name."""
        self._stream.close()
        part_path(self._path).replace(self._path)
        state_path(self._path).unlink()

    def finish_as(self, convert: Callable[[BinaryIO, BinaryIO], None]) -> None:
        """Make the file of what has grown, which is kept until it is whole: `resume` only has to convert again."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        with part_path(self._path).open("rb") as grown, fresh.open("wb") as stream:
            convert(grown, stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self._path)
        part_path(self._path).unlink()
        state_path(self._path).unlink()
        self._stream.close()

    def discard(self) -> None:
        """Leave nothing behind."""
        self._stream.close()
        part_path(self._path).unlink()
        state_path(self._path).unlink(missing_ok=True)

    def close(self) -> None:
        """Keep what is there for `resume`."""
        self._stream.close()


def part_path(path: Path) -> Path:
    """Return where the bytes are until all are there."""
    return path.with_name(f"{path.name}.part")


def state_path(path: Path) -> Path:
    """Return where the state is until all bytes are there."""
    return path.with_name(f"{path.name}.state")
