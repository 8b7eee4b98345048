"""What a redrive or restore has done, on disk before its next step: so the next run goes on after any end of this one.

JSON lines without message bodies. A dead letter goes through `sending`, `sent` and, in a redrive, `deleted`; one that
is `sent` is not sent again by the next run, which deletes it where that is still to be done.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

import click

from recommendation_cli.durable_file import sync_folder
from recommendation_cli.screen.visible import visible

_MODE: Final = 0o600
_BEGINNING: Final = '{"event": '  # of every line


class Journal:
    """An open journal. Every method returns once its line is on disk."""

    def __init__(self, stream: TextIO, path: Path) -> None:
        self._stream = stream
        self.path = path
        self.sent: set[str] = set()  # message IDs in the dead-letter queue that the queue has confirmed
        self.unfinished: set[str] = set()  # of these, those whose deletion is not confirmed
        self.in_doubt: set[str] = set()  # SQS's answer was never seen

    def begin(self, source: str, destination: str, at: str) -> None:
        """Note the start of a run."""
        self._write({"event": "run", "at": at, "source": source, "destination": destination})

    def sending(self, message_ids: Iterable[str]) -> None:
        """Note what is about to be sent."""
        self._write({"event": "sending", "ids": sorted(message_ids)})

    def answered(self, sent: Mapping[str, str], refused: Iterable[str]) -> None:
        """Note what the queue has confirmed (message ID -> its new one), and what it refused."""
        self._write({"event": "sent", "ids": dict(sent), "refused": sorted(refused)})

    def deleted(self, message_ids: Iterable[str]) -> None:
        """Note what is no longer in the dead-letter queue."""
        gone = sorted(message_ids)
        if gone:
            self._write({"event": "deleted", "ids": gone})

    def apply(self, line: dict[str, Any]) -> None:
        """Take a line into account. Raises `KeyError`, `TypeError` or `AttributeError` for one that is none of ours."""
        match line["event"]:
            case "sending":
                self.in_doubt |= set(line["ids"])
            case "sent":
                self.sent |= line["ids"].keys()
                self.unfinished |= line["ids"].keys()
                self.in_doubt -= {*line["ids"], *line["refused"]}
            case "deleted":
                self.unfinished -= set(line["ids"])

    def _write(self, line: dict[str, Any]) -> None:
        self.apply(line)
        self._stream.write(json.dumps(line, ensure_ascii=True) + "\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())


@contextmanager
def open_journal(path: Path, source: str, destination: str, at: str) -> Iterator[Journal]:
    """Open a journal for one run from `source` (a queue's URL, or a file's digest) to `destination` (a queue's URL).

    It is made if there is none. Raises click's usage error when the file is another run's at this moment, of another
    source or destination, or no journal.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _MODE)
    except OSError as error:
        raise click.UsageError(_advice(path, f"cannot be opened ({error.strerror})")) from None
    with os.fdopen(descriptor, "r+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.UsageError(f"Another run is writing the journal {visible(str(path))}: wait for it.") from None
        journal = Journal(stream, path)
        end = _read(journal, stream, (source, destination))
        stream.seek(end)
        stream.truncate()  # a last line that was cut off: nothing was done after it, as every step waits for its line
        sync_folder(path.parent)
        journal.begin(source, destination, at)
        yield journal


def sent_before(path: Path, source: str, destination: str) -> set[str]:
    """Return what earlier runs have sent, by a journal that is only read, if there is one. Raises as `open_journal`."""
    try:
        with path.open(encoding="utf-8") as stream:
            journal = Journal(stream, path)
            _read(journal, stream, (source, destination))
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise click.UsageError(_advice(path, f"cannot be opened ({error.strerror})")) from None
    return journal.sent


def default_path(environ: Mapping[str, str], verb: str, queue_name: str, way: str) -> Path:
    """Return where a journal lies: one for each way that messages go, so that the next run finds that of the last."""
    from hashlib import sha256

    state = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".local" / "state")
    return Path(state, "recs", f"{verb}-{queue_name}-{sha256(way.encode()).hexdigest()[:12]}.jsonl")


def _read(journal: Journal, stream: TextIO, way: tuple[str, str]) -> int:
    """Take all whole lines into account; return where they end."""
    end = 0
    try:
        while (text := stream.readline()).endswith("\n"):
            line = json.loads(text)
            journal.apply(line)
            if line["event"] == "run" and (line["source"], line["destination"]) != way:
                raise click.UsageError(_advice(journal.path, "is of another source or destination"))
            end = stream.tell()
        if not (text.startswith(_BEGINNING) or _BEGINNING.startswith(text)):
            raise ValueError(text)  # noqa: TRY301 - one message for every file that is not ours
    except (ValueError, KeyError, TypeError, AttributeError):
        raise click.UsageError(_advice(journal.path, "is no journal of recs dlq, or is damaged")) from None
    return end


def _advice(path: Path, problem: str) -> str:
    return f"The journal {visible(str(path))} {problem}: name another with --journal."
