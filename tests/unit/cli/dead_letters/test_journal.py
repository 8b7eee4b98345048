"""The journal of a redrive, as the next run finds it."""

from pathlib import Path

import click
import pytest

from recommendation_cli.dead_letters.redrive.journal import Journal, default_path, open_journal
from tests.support.fakes.dead_letter_queue import DLQ, QUEUE

AT = "2026-02-01T12:00:00.000000Z"


def _open(path: Path, source: str = DLQ) -> Journal:
    with open_journal(path, source, QUEUE, AT) as journal:
        return journal


def _write(path: Path) -> None:
    with open_journal(path, DLQ, QUEUE, AT) as journal:
        journal.sending(["a", "b", "c", "d"])
        journal.answered({"a": "new-a", "b": "new-b"}, ["c"])
        journal.deleted(["a"])


def test_the_next_run_knows_what_was_sent_what_was_not_deleted_and_what_is_in_doubt(tmp_path: Path) -> None:
    """`d` was being sent when the run ended; `c` was refused."""
    path = tmp_path / "new" / "journal"
    _write(path)
    journal = _open(path)
    assert journal.sent == {"a", "b"}
    assert journal.unfinished == {"b"}
    assert journal.in_doubt == {"d"}


@pytest.mark.parametrize("cut", range(1, 36))
def test_a_line_that_was_cut_off_is_as_if_it_had_not_been_begun(tmp_path: Path, cut: int) -> None:
    """Wherever the crash cut it; the lines before it count, and the next ones are whole."""
    path = tmp_path / "journal"
    _write(path)
    content = path.read_bytes()
    path.write_bytes(content[:-cut])
    assert _open(path).unfinished == {"a", "b"}
    assert _open(path).unfinished == {"a", "b"}


@pytest.mark.parametrize(
    "content",
    [
        "precious",
        "precious\n",
        '{"event": "sent"}\n',
        "[]\n",
        '{"event": "sending", "ids": 7}\n',
        '{"other": 1',
        "\0\n",
    ],
)
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, content: str) -> None:
    """A mistyped --journal must not cost anybody a file."""
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(click.UsageError, match="name another with --journal"):
        _open(path)
    assert path.read_text() == content


def test_a_journal_of_other_queues_is_refused(tmp_path: Path) -> None:
    """Its IDs mean nothing here."""
    path = tmp_path / "journal"
    _write(path)
    with pytest.raises(click.UsageError, match="is of another source or destination"):
        _open(path, source=QUEUE)


def test_a_journal_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    """Before anything is sent."""
    with pytest.raises(click.UsageError, match="cannot be opened"):
        _open(tmp_path)


def test_each_queue_has_a_journal_of_its_own(tmp_path: Path) -> None:
    """Queues in two accounts may have one name."""
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    paths = {default_path(environ, "redrive", "dlq", f"https://sqs/{account}/dlq") for account in (1, 2)}
    assert len(paths) == 2
    assert default_path({"HOME": "/home/a"}, "redrive", "dlq", DLQ).parent == Path("/home/a/.local/state/recs")
