"""The record of a redrive or restore, on disk before its next step, so that the next run continues after any failure.

JSON lines without message bodies. A dead letter goes through `sending`, `sent` and, in a redrive, `deleted`. The next
run does not send what is `sent`; a redrive only deletes it where that was not confirmed.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TextIO

import click

from recommendation_cli.durable_file import sync_folder
from recommendation_cli.file_lock import lock
from recommendation_cli.screen.visible import visible
from recommendation_shared.envelope.identity import EPOCH, sort_key

_MODE: Final = 0o600
_LINE_START: Final = '{"event": '  # of every line


class Journal:
    """An open journal. Every method returns once its line is on disk."""

    def __init__(self, stream: TextIO, path: Path) -> None:
        self._stream = stream
        self.path = path
        self.sent: set[str] = set()  # IDs in the dead-letter queue of the messages that the queue confirmed
        self.unfinished: set[str] = set()  # of these, the ones whose deletion is not confirmed
        self.in_doubt: set[str] = set()  # SQS's response was never seen

    def begin(self, source: str, destination: str, at: str) -> None:
        """Record the start of a run."""
        self._write({"event": "run", "at": at, "source": source, "destination": destination})

    def sending(self, message_ids: Iterable[str]) -> None:
        """Record what is about to be sent."""
        self._write({"event": "sending", "ids": sorted(message_ids)})

    def answered(self, sent: Mapping[str, str], refused: Iterable[str]) -> None:
        """Record what the queue confirmed (message ID -> its new one) and what it refused."""
        self._write({"event": "sent", "ids": dict(sent), "refused": sorted(refused)})

    def deleted(self, message_ids: Iterable[str]) -> None:
        """Record what was deleted from the dead-letter queue."""
        ids = sorted(message_ids)
        if ids:
            self._write({"event": "deleted", "ids": ids})

    def apply(self, line: dict[str, Any]) -> None:
        """Apply a line. Raises `KeyError`, `TypeError` or `AttributeError` for a line we did not write."""
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
def open_journal(path: Path, source: str, destination: str, now: float) -> Iterator[Journal]:
    """Open the journal of a run from `source` (a queue's URL, or a file's digest) to `destination` (a queue's URL).

    The file is created if necessary; `now` is in epoch seconds. Raises click's usage error when another run has the
    file open, when it belongs to another source or destination, or when it is not a journal.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _MODE)
    except OSError as error:
        raise click.UsageError(_advice(path, f"cannot be opened ({error.strerror})")) from None
    with os.fdopen(descriptor, "r+", encoding="utf-8") as stream:
        try:
            lock(stream)
        except BlockingIOError:
            raise click.UsageError(
                f"Another run is writing the journal {visible(str(path))}: wait for it to finish."
            ) from None
        except OSError as error:
            raise click.UsageError(_advice(path, f"cannot be locked ({error.strerror})")) from None
        journal = Journal(stream, path)
        end = _read(journal, stream, (source, destination))
        stream.seek(end)
        # Cuts off an incomplete last line. Nothing was done after it, as every step waits for its line.
        stream.truncate()
        sync_folder(path.parent)
        journal.begin(source, destination, sort_key(EPOCH + timedelta(seconds=now)))
        yield journal


def sent_before(path: Path, source: str, destination: str) -> set[str]:
    """Return the message IDs that earlier runs sent, without changing the journal. Raises as `open_journal` does."""
    try:
        with path.open(encoding="utf-8") as stream:
            journal = Journal(stream, path)
            _read(journal, stream, (source, destination))
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise click.UsageError(_advice(path, f"cannot be opened ({error.strerror})")) from None
    return journal.sent


def default_path(environ: Mapping[str, str], verb: str, queue_name: str, route: str) -> Path:
    """Return where the journal is: one file for each route, so that the next run finds what the last one wrote."""
    from hashlib import sha256

    state = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".local" / "state")
    return Path(state, "recs", f"{verb}-{queue_name}-{sha256(route.encode()).hexdigest()[:12]}.jsonl")


def _read(journal: Journal, stream: TextIO, route: tuple[str, str]) -> int:
    """Apply all complete lines; return the position after them."""
    end = 0
    try:
        while (text := stream.readline()).endswith("\n"):
            line = json.loads(text)
            journal.apply(line)
            if line["event"] == "run" and (line["source"], line["destination"]) != route:
                raise click.UsageError(_advice(journal.path, "belongs to another source or destination"))
            end = stream.tell()
        if not (text.startswith(_LINE_START) or _LINE_START.startswith(text)):
            raise ValueError(text)  # noqa: TRY301 - one message for every file that is not a journal
    except (ValueError, KeyError, TypeError, AttributeError):
        raise click.UsageError(_advice(journal.path, "is not a journal of recs dlq, or is damaged")) from None
    return end


def _advice(path: Path, problem: str) -> str:
    return f"The journal {visible(str(path))} {problem}: name another with --journal."
