"""The file of an export while it is written: FILE.part holds the bytes, FILE.state says how many of them count."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Self

import click

from recommendation_cli.durable_file import durable_file, rename_durably
from recommendation_cli.export.state import ExportState, StateError
from recommendation_cli.file_lock import lock


class BusyError(click.UsageError):
    """Another process is writing the same export."""


class ResumableFile:
    """Grows by whole pages. However the process ends, `resume` continues after the last page that was fully written.

    A page's bytes reach the disk before the state that counts them; bytes that no state counts are cut off.
    """

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self._path = path
        self._stream = stream
        # Two processes writing one file would each count only their own pages. The lock ends with the process.
        try:
            lock(stream)
        except BlockingIOError:
            stream.close()
            raise BusyError(f"Another process is writing {part_path(path)}: let it finish.") from None
        except OSError:  # there are no locks here
            stream.close()
            raise

    @classmethod
    def create(cls, path: Path, *, overwrite: bool) -> Self:
        """Start a new file.

        Without `overwrite`, raises `FileExistsError` with the path that exists. Raises `BusyError`.
        """
        if not overwrite:
            for existing in (path, state_path(path)):
                if existing.exists():
                    raise FileExistsError(str(existing))
        file = cls(path, part_path(path).open("ab"))
        file._stream.truncate(0)  # not before the lock is held
        state_path(path).unlink(missing_ok=True)
        return file

    @classmethod
    def resume(cls, path: Path) -> tuple[Self, ExportState]:
        """Reopen a file at the end of its last whole page.

        Raises `FileNotFoundError` when there is nothing to resume, `StateError` when the two files do not belong
        together, and `BusyError`.
        """
        try:
            state = ExportState.from_json(json.loads(state_path(path).read_bytes()))
        except ValueError as error:
            raise StateError(f"{state_path(path)} is not the state of an export ({error})") from None
        stream = part_path(path).open("r+b")
        file = cls(path, stream)
        if stream.seek(0, os.SEEK_END) < state.progress.size:
            stream.close()
            raise StateError(f"{part_path(path)} is shorter than {state_path(path)} says")
        stream.truncate(state.progress.size)
        stream.seek(state.progress.size)
        return file, state

    def append(self, page: bytes, state: ExportState) -> None:
        """Write a page to disk, and then the state that counts it."""
        self._stream.write(page)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        with durable_file(state_path(self._path)) as stream:
            stream.write(json.dumps(state.to_json()).encode())

    def finish(self) -> None:
        """Give the complete file its name."""
        self._stream.close()
        rename_durably(part_path(self._path), self._path)
        state_path(self._path).unlink()

    def finish_as(self, convert: Callable[[BinaryIO, BinaryIO], None]) -> None:
        """Write the final file with `convert(part, file)`; until it is complete, `resume` can convert again."""
        with part_path(self._path).open("rb") as part, durable_file(self._path) as stream:
            convert(part, stream)
        part_path(self._path).unlink()
        state_path(self._path).unlink()
        self._stream.close()

    def discard(self) -> None:
        """Delete both files."""
        self._stream.close()
        part_path(self._path).unlink()
        state_path(self._path).unlink(missing_ok=True)

    def close(self) -> None:
        """Leave both files for `resume`."""
        self._stream.close()


def part_path(path: Path) -> Path:
    """Return where the bytes are until the export is complete."""
    return path.with_name(f"{path.name}.part")


def state_path(path: Path) -> Path:
    """Return where the state is until the export is complete."""
    return path.with_name(f"{path.name}.state")
