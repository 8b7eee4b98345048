"""Real exits: the interpreter's exit hook drains the buffer, for a second at most."""

import json
import time

from tests.chaos.producer.program import run_python, started
from tests.support.fakes.queue import NOTHING_HANGS
from tests.support.servers.sqs_server import HANG, sqs_server

PROMPT = 5.0  # seconds; far less than any wait that would be a bug, far more than a busy machine's delays


def test_exit_drains_what_is_left() -> None:
    """The program never flushes."""
    lines, _ = run_python(
        """
        producer = open_producer(max_age=600.0, emit_metrics=True)
        for number in range(3):
            producer.enqueue(**recommendation(number))
        """
    )
    assert lines[:3] == [f"sent {number} by parent" for number in range(3)]
    assert json.loads(lines[3])["RecommendationsEnqueued"] == 3


def test_exit_waits_at_most_a_second_and_counts_the_rest() -> None:
    """A queue that never responds does not block the exit."""
    program = """
        producer = RecommendationProducer(sys.argv[1], "us-east-1", sys.argv[2], emit_metrics=True, max_age=0.0)
        for number in range(3):
            producer.enqueue(**recommendation(number))
        sys.stdin.read(1)
        print(time.monotonic())
        """
    with sqs_server() as server:
        server.fault = HANG
        with started(program, server.queue_url, server.url) as process:
            assert server.asked.wait(NOTHING_HANGS)
            output, errors = process.communicate("\n", timeout=60)
            ended = time.monotonic()
        assert (process.returncode, errors) == (0, "")
    lines = output.splitlines()
    emitted = [json.loads(line) for line in lines if line.startswith("{")]
    (dropped,) = [line for line in emitted if "Reason" in line]
    assert (dropped["Reason"], dropped["RecommendationsDropped"]) == ("shutdown", 3)
    (end_of_program,) = [float(line) for line in lines if not line.startswith("{")]
    assert 1.0 <= ended - end_of_program < 1.0 + PROMPT


def test_threads_end_at_exit_when_everything_is_sent() -> None:
    """CPython aborts the process if a subinterpreter ends with a thread left; hooks registered earlier run later."""
    lines, _ = run_python(
        """
        import atexit
        atexit.register(lambda: print(sorted(thread.name for thread in threading.enumerate())))
        producer = open_producer()
        producer.enqueue(**recommendation())
        assert has_sent(producer, 1)
        """
    )
    assert lines == ["sent 0 by parent", "['MainThread']"]
