"""SIGTERM: what is pending is sent if time allows, and counted; the host's own handling stays as it is."""

import json
import signal
import time
from typing import Any

import pytest

from tests.chaos.producer.program import run_python, sent_lines, started

PROMPT = 5.0  # seconds; far less than any wait that would be a bug, far more than a busy machine's delays
COUNT = 7
READY = "ready"


def terminated(program: str) -> tuple[int, list[str], float]:
    """Run a program, send it SIGTERM once it prints "ready"; return its exit code, output lines and seconds to its end.

    It must write nothing to stderr.
    """
    with started(program) as process:
        assert process.stdout is not None
        lines = []
        while (line := process.stdout.readline().strip()) != READY:
            assert line, process.communicate()
            lines.append(line)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=60)
        seconds = time.monotonic() - began
    assert errors == ""
    return process.returncode, lines + output.splitlines(), seconds


def emf(lines: list[str]) -> list[dict[str, Any]]:
    """Return the metrics among the output lines."""
    return [json.loads(line) for line in lines if line.startswith("{")]


ENQUEUE = """
        for number in range(7):
            producer.enqueue(**recommendation(number))
        print("ready", flush=True)
"""


def test_pending_envelopes_are_sent_and_counted_and_the_signal_ends_the_process() -> None:
    """The exit code is that of a process without any handler."""
    code, lines, _ = terminated(
        f"""
        producer = open_producer(max_age=600.0, emit_metrics=True)
        {ENQUEUE}
        time.sleep(60)
        """
    )
    assert code == -signal.SIGTERM
    assert len(sent_lines(lines)) == COUNT
    assert [line["RecommendationsEnqueued"] for line in emf(lines)] == [COUNT]


@pytest.mark.parametrize("during", ["time.sleep(60)", "producer.flush(60)", "while True: producer.balance"])
def test_queue_that_does_not_respond_costs_no_more_than_the_budget_and_all_is_counted(during: str) -> None:
    """Whatever the main thread is doing when the signal comes."""
    code, lines, seconds = terminated(
        f"""
        producer = open_producer(client_factory=BlackHole().client, max_age=0.0, emit_metrics=True)
        {ENQUEUE}
        {during}
        """
    )
    assert (code, seconds < PROMPT) == (-signal.SIGTERM, True)
    (dropped,) = [line for line in emf(lines) if "Reason" in line]
    assert (dropped["Reason"], dropped["RecommendationsDropped"]) == ("shutdown", COUNT)


@pytest.mark.parametrize("is_first", [True, False], ids=["before the producer", "after it, calling the one before"])
def test_handler_of_the_host_decides_what_happens_next(is_first: bool) -> None:
    """It is called once, the process goes on, and so does the producer."""
    create = "producer = open_producer(max_age=600.0)"
    install = """
        before = signal.getsignal(signal.SIGTERM)
        def on_sigterm(number, frame):
            print(f"host's own: {number}, {frame is not None}", flush=True)
            if callable(before):
                before(number, frame)
        signal.signal(signal.SIGTERM, on_sigterm)
    """
    code, lines, _ = terminated(
        f"""
        {install if is_first else create}
        {create if is_first else install}
        {ENQUEUE}
        time.sleep(0.5)
        while producer.balance.sent < 7:
            time.sleep(0.01)
        producer.enqueue(**recommendation(9))
        assert has_sent(producer, 8)
        """
    )
    assert code == 0
    assert lines.count("host's own: 15, True") == 1
    assert len(sent_lines(lines)) == COUNT + 1


def test_handler_of_the_host_that_exits_leaves_the_rest_to_the_exit_hook() -> None:
    """`sys.exit` in a signal handler is the usual way to end a container."""
    code, lines, _ = terminated(
        f"""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
        producer = open_producer(client_factory=BlackHole().client, max_age=0.0, emit_metrics=True)
        {ENQUEUE}
        time.sleep(60)
        """
    )
    assert code == 3
    (dropped,) = [line for line in emf(lines) if "Reason" in line]
    assert (dropped["Reason"], dropped["RecommendationsDropped"]) == ("shutdown", COUNT)


def test_signal_that_the_host_ignores_stays_ignored() -> None:
    """Nothing is installed over it."""
    code, lines, _ = terminated(
        f"""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        producer = open_producer(max_age=600.0)
        {ENQUEUE}
        time.sleep(0.5)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
        assert has_sent(producer, 7)
        """
    )
    assert (code, len(sent_lines(lines))) == (0, COUNT)


def test_producer_of_another_thread_installs_no_handler_and_does_not_fail() -> None:
    """Python allows it in the main thread only. A producer of the main thread then handles the signal for both."""
    code, lines, _ = terminated(
        f"""
        producers = []
        thread = threading.Thread(target=lambda: producers.append(open_producer(max_age=600.0)))
        thread.start()
        thread.join()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        other = open_producer(max_age=600.0)
        other.enqueue(**recommendation(8))
        (producer,) = producers
        {ENQUEUE}
        time.sleep(60)
        """
    )
    assert (code, len(sent_lines(lines))) == (-signal.SIGTERM, COUNT + 1)


def test_forked_child_sends_its_own_envelopes_and_the_parent_goes_on() -> None:
    """`multiprocessing` terminates its children in this way."""
    lines, _ = run_python(
        """
        producer = open_producer(max_age=600.0)
        producer.enqueue(**recommendation(0))
        child = os.fork()
        if child == 0:
            producer.enqueue(**recommendation(1))
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGTERM, status
        assert has_sent(producer, 1)
        """
    )
    assert sent_lines(lines) == ["sent 0 by parent", "sent 1 by child"]
