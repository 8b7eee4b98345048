"""The journal of a redrive or restore, as the next run finds it."""

from pathlib import Path

import click
import pytest

from recommendation_cli.dead_letters.replay.journal import Journal, default_path, open_journal
from tests.support.fakes.dead_letter_queue import DLQ, QUEUE

NOW = 1_769_947_200.0  # epoch seconds


def _open(path: Path, source: str = DLQ) -> Journal:
    with open_journal(path, source, QUEUE, NOW) as journal:
        return journal


def _write(path: Path) -> None:
    with open_journal(path, DLQ, QUEUE, NOW) as journal:
        journal.sending(["a", "b", "c", "d"])
        journal.answered({"a": "new-a", "b": "new-b"}, ["c"])
        journal.deleted(["a"])


def test_next_run_knows_what_was_sent_not_deleted_and_in_doubt(tmp_path: Path) -> None:
    """Message `d` was being sent when the run ended, and `c` was refused."""
    path = tmp_path / "new" / "journal"
    _write(path)
    journal = _open(path)
    assert journal.sent == {"a", "b"}
    assert journal.unfinished == {"b"}
    assert journal.in_doubt == {"d"}


@pytest.mark.parametrize("cut", range(1, 36))
def test_incomplete_last_line_is_ignored_and_cut_off(tmp_path: Path, cut: int) -> None:
    """Wherever the crash ended it, the lines before it count and the following ones are complete."""
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
def test_file_that_is_not_a_journal_is_left_unchanged(tmp_path: Path, content: str) -> None:
    """A mistyped --journal must not destroy a file."""
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(click.UsageError, match="name another with --journal"):
        _open(path)
    assert path.read_text() == content


def test_journal_of_other_queues_is_refused(tmp_path: Path) -> None:
    """Its message IDs mean nothing for these queues."""
    path = tmp_path / "journal"
    _write(path)
    with pytest.raises(click.UsageError, match="belongs to another source or destination"):
        _open(path, source=QUEUE)


def test_journal_that_cannot_be_opened_is_a_usage_error(tmp_path: Path) -> None:
    """It is reported before anything is sent."""
    with pytest.raises(click.UsageError, match="cannot be opened"):
        _open(tmp_path)


def test_each_queue_has_its_own_journal(tmp_path: Path) -> None:
    """Queues in two accounts may have the same name."""
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    paths = {default_path(environ, "redrive", "dlq", f"https://sqs/{account}/dlq") for account in (1, 2)}
    assert len(paths) == 2
    assert default_path({"HOME": "/home/a"}, "redrive", "dlq", DLQ).parent == Path("/home/a/.local/state/recs")
