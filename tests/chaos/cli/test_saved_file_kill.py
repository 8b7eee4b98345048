"""`recs dlq save`, `purge` and `restore` killed at every step: each dead letter stays in the queue or the file."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from recommendation_cli.dead_letters.saved.file import saved_line
from tests.support.dead_letter_process import BODIES, HOLD, Queues, queues_with_letters
from tests.support.servers.queue_proxy import Moment

# Kills itself at its first call of a function, before or after the call is made.
KILLED: Final = """
import os, signal, sys
from pathlib import Path
holder, name, moment, *args = sys.argv[1:]
holder = {"os": os, "Path": Path}[holder]
real = getattr(holder, name)

def deadly(*given, **options):
    if moment == "after":
        real(*given, **options)
    os.kill(os.getpid(), signal.SIGKILL)

from recommendation_cli.__main__ import main
setattr(holder, name, deadly)
sys.argv = ["recs", "dlq", *args]
main()
"""


@pytest.fixture
def queues(moto_server: str, tmp_path: Path) -> Iterator[Queues]:
    """Twelve dead letters and an empty queue."""
    with queues_with_letters(moto_server, tmp_path) as queues_in_use:
        yield queues_in_use


def _saved(path: Path) -> Counter[str]:
    return Counter(json.loads(line)["body"] for line in path.read_text().splitlines())


def _save(queues: Queues, path: Path) -> None:
    """Write what `recs dlq save` would, but faster."""
    path.write_text("".join(map(saved_line, queues.letters(queues.dlq_url))))


@pytest.mark.parametrize(
    ("action", "moment", "hold", "again"),
    [
        ("ReceiveMessage", "before", HOLD, 0),
        ("ReceiveMessage", "after", HOLD, 0),
        ("ChangeMessageVisibilityBatch", "before", 600, 1),  # all are still hidden
        ("ChangeMessageVisibilityBatch", "after", 600, 5),  # two are
    ],
)
def test_save_killed_at_a_call_leaves_no_file_and_can_be_repeated(  # noqa: PLR0913, PLR0917 - its table
    queues: Queues, tmp_path: Path, action: str, moment: Moment, hold: int, again: int
) -> None:
    """The queue keeps everything; the next save takes what is visible, and says when that is not everything."""
    path = tmp_path / "saved.jsonl"
    queues.kill_at(action, moment, "save", path, "--hold", str(hold))
    assert queues.bodies(queues.dlq_url) == Counter(BODIES)
    assert not path.exists()
    time.sleep(HOLD)
    code, printed = queues.finish("save", path, "--hold", str(HOLD))
    assert code == again, printed
    assert ("in flight" in printed) == (again != 0)
    assert (_saved(path).total() if path.exists() else 0) == {0: 12, 1: 0, 5: 10}[again]


@pytest.mark.parametrize(
    ("holder", "name", "moment", "is_there"),
    [
        ("os", "fsync", "before", False),
        ("os", "link", "before", False),
        ("os", "link", "after", True),
        ("Path", "unlink", "after", True),
    ],
)
def test_save_killed_while_writing_leaves_a_complete_file_or_none(  # noqa: PLR0913 - its table
    queues: Queues, tmp_path: Path, holder: str, name: str, moment: str, *, is_there: bool
) -> None:
    """The queue keeps everything."""
    path = tmp_path / "saved.jsonl"
    command = [sys.executable, "-c", KILLED, holder, name, moment, "save", str(path)]
    killed = subprocess.run(command, env=queues.environ, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert queues.bodies(queues.dlq_url) == Counter(BODIES)
    assert path.exists() == is_there
    assert not is_there or _saved(path) == Counter(BODIES)


@pytest.mark.parametrize(
    ("action", "moment", "deleted"),
    [
        ("ReceiveMessage", "before", 0),
        ("ReceiveMessage", "after", 0),
        ("DeleteMessageBatch", "before", 0),
        ("DeleteMessageBatch", "after", 10),
    ],
)
def test_next_purge_finishes_a_killed_one(
    queues: Queues, tmp_path: Path, action: str, moment: Moment, deleted: int
) -> None:
    """The file holds what the killed purge had deleted."""
    path = tmp_path / "saved.jsonl"
    _save(queues, path)
    purge = ("purge", path, "--confirm", queues.dlq_url.rpartition("/")[2], "--hold", str(HOLD))
    queues.kill_at(action, moment, *purge)
    assert queues.bodies(queues.dlq_url).total() == len(BODIES) - deleted
    time.sleep(HOLD)
    code, printed = queues.finish(*purge)
    assert code == 0, printed
    assert queues.bodies(queues.dlq_url) == Counter()
    assert _saved(path) == Counter(BODIES)


@pytest.mark.parametrize(
    ("action", "moment", "twice"),
    [
        ("GetQueueAttributes", "after", 0),
        ("SendMessageBatch", "before", 0),
        ("SendMessageBatch", "after", 10),  # nothing says that they were sent; storing them twice changes nothing
    ],
)
def test_next_restore_finishes_a_killed_one(
    queues: Queues, tmp_path: Path, action: str, moment: Moment, twice: int
) -> None:
    """Only messages whose response the killed process never saw are sent twice."""
    path = tmp_path / "saved.jsonl"
    _save(queues, path)
    queues.kill_at(action, moment, "restore", path, "--yes")
    code, printed = queues.finish("restore", path, "--yes")
    assert code == 0, printed
    arrived = queues.bodies(queues.queue_url)
    assert set(arrived) == set(BODIES)
    assert sum(count - 1 for count in arrived.values()) == twice
    assert ("may also have been sent by an interrupted run" in printed) == (action == "SendMessageBatch")
