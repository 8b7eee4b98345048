"""`recs dlq redrive` killed with SIGKILL at every step: nothing is lost, and the next run finishes the work."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.dead_letter_process import BODIES, HOLD, Queues, queues_with_letters
from tests.support.servers.queue_proxy import Moment

REDRIVE: Final = ("redrive", "--yes", "--hold", str(HOLD))


@pytest.fixture
def redriven(moto_server: str, tmp_path: Path) -> Iterator[Queues]:
    """Twelve dead letters and an empty queue."""
    with queues_with_letters(moto_server, tmp_path) as queues:
        yield queues


@pytest.mark.parametrize(
    ("action", "moment", "twice"),
    [
        ("ReceiveMessage", "before", 0),
        ("ReceiveMessage", "after", 0),
        ("SendMessageBatch", "before", 0),
        ("SendMessageBatch", "after", 10),  # nothing says that they were sent; storing them twice changes nothing
        ("DeleteMessageBatch", "before", 0),
        ("DeleteMessageBatch", "after", 0),
    ],
)
def test_kill_at_any_call_loses_nothing_and_the_next_run_finishes(
    redriven: Queues, action: str, moment: Moment, twice: int
) -> None:
    """Only messages whose response the killed process never saw are sent twice."""
    redriven.kill_at(action, moment, *REDRIVE)
    in_either = redriven.bodies(redriven.queue_url) + redriven.bodies(redriven.dlq_url)
    assert set(in_either) == set(BODIES), "a dead letter is in neither queue"
    time.sleep(HOLD)
    code, printed = redriven.finish(*REDRIVE)
    assert code == 0, printed
    assert redriven.bodies(redriven.dlq_url) == Counter()
    arrived = redriven.bodies(redriven.queue_url)
    assert set(arrived) == set(BODIES)
    assert sum(count - 1 for count in arrived.values()) == twice
    assert ("may also have been sent by an interrupted run" in printed) == (action == "SendMessageBatch")
    assert ("sent by an earlier run: not sent again" in printed) == (
        (action, moment) == ("DeleteMessageBatch", "before")
    )


def test_run_before_the_hold_has_passed_says_what_is_hidden(redriven: Queues) -> None:
    """It does not claim to be complete."""
    redriven.proxy.hold("DeleteMessageBatch", "before")
    process = redriven.start(*REDRIVE, "--hold", "600")
    assert redriven.proxy.reached.wait(30)
    process.kill()
    process.communicate()
    code, printed = redriven.finish(*REDRIVE)
    assert code == 5
    assert "10 dead letters sent by an earlier run may still be hidden by it" in printed


def test_ctrl_c_finishes_the_batch_and_gives_back_the_rest(redriven: Queues) -> None:
    """So that the next run need not wait for the hold to pass."""
    redriven.proxy.hold("SendMessageBatch", "before")
    process = redriven.start(*REDRIVE, "--hold", "600")
    assert redriven.proxy.reached.wait(30)
    process.send_signal(signal.SIGINT)
    redriven.proxy.let_go()
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stdout.startswith("Redriven 10 dead letters")
    assert stderr.startswith("Interrupted.")
    code, printed = redriven.finish(*REDRIVE)
    assert code == 0
    assert printed.startswith("Redriven 2 dead letters")
    assert redriven.bodies(redriven.queue_url) == Counter(BODIES)


def test_two_redrives_cannot_share_a_journal(redriven: Queues) -> None:
    """The second run reports it and does nothing."""
    redriven.proxy.hold("SendMessageBatch", "before")
    process = redriven.start(*REDRIVE)
    assert redriven.proxy.reached.wait(30)
    try:
        code, printed = redriven.finish(*REDRIVE)
        assert code == 2
        assert "Another run is writing the journal" in printed
    finally:
        process.kill()
        process.communicate()
