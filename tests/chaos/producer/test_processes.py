"""Forks, signals, garbage collection and exits: each in a process of its own, with the balance checked at its end."""

import json
import subprocess
import sys
import textwrap
import time

from tests.support.fakes.queue import NOTHING_HANGS
from tests.support.servers.fault_server import HANG, fault_server

PROMPT = 5.0  # seconds; far below any wait that would be a mistake, far above a busy machine's hiccup

PRELUDE = """
import gc, json, logging, os, signal, sys, threading, time
from recommendation_producer import RecommendationProducer
from tests.support.fakes.queue import BlackHole, FakeQueue, QUEUE_URL, balanced, recommendation

PARENT = os.getpid()

class Printing(FakeQueue):
    async def send_message_batch(self, *, QueueUrl, Entries):
        for entry in Entries:
            number = json.loads(entry["MessageBody"])["recommendation"]["number"]
            os.write(1, f"sent {number} by {'parent' if os.getpid() == PARENT else 'child'}\\n".encode())
        return await super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

logging.getLogger("producer").setLevel(logging.CRITICAL)  # stderr is for what went wrong with the test
queue = Printing()

def make(**options):
    return RecommendationProducer(QUEUE_URL, **{"client_factory": queue.client, "jitter": lambda: 0.0, **options})

def has_sent(producer, count):
    balance = producer.flush(20)
    assert balanced(balance), balance
    assert (balance.accepted, balance.sent, balance.pending) == (count, count, 0), balance
    return True
"""


def run_python(program: str, *arguments: str) -> tuple[list[str], float]:
    """Run a program in a process of its own; return its output lines and the monotonic time of its end.

    It must end well and write no error.
    """
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PRELUDE + textwrap.dedent(program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own
    ended = time.monotonic()
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines(), ended


def sent_lines(lines: list[str]) -> list[str]:
    """Return what arrived at the queue, repetitions included, and by whom."""
    return sorted(line for line in lines if line.startswith("sent"))


def test_forked_child_starts_empty_and_sends_only_its_own_whatever_lock_was_held() -> None:
    """By another thread, which the child does not have; the parent's envelopes stay the parent's."""
    lines, _ = run_python(
        """
        logging.basicConfig()
        producer = make(max_age=600.0, emit_metrics=True)
        producer.enqueue(**recommendation(1))
        parts = (producer, producer._buffer, producer._sender, producer._sender._log, producer._metrics)
        locks = [one for part in parts for one in vars(part).values() if hasattr(one, "acquire")]
        assert len(locks) == 4, locks  # of the buffer, the metrics, and two of the sender
        locks.append(logging.getLogger().handlers[0].lock)
        held, may_release = threading.Event(), threading.Event()

        def hold():
            for lock in locks:
                lock.acquire()
            held.set()
            may_release.wait()
            for lock in reversed(locks):
                lock.release()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        child = os.fork()
        if child == 0:
            assert producer.balance.accepted == 0
            producer.enqueue(**recommendation(2))
            assert has_sent(producer, 1)
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        may_release.set()
        holder.join()
        assert has_sent(producer, 1)
        """
    )
    assert sent_lines(lines) == ["sent 1 by parent", "sent 2 by child"]


def test_fork_while_the_sender_works_leaves_both_sides_working() -> None:
    """The child exits as a program does, through its exit hooks."""
    lines, _ = run_python(
        """
        producer = make()
        for number in range(200):
            producer.enqueue(**recommendation(number))
            if number == 150:
                child = os.fork()
                if child == 0:
                    producer.enqueue(**recommendation(1000))
                    assert has_sent(producer, 1)
                    sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert has_sent(producer, 200)
        """
    )
    sent = sent_lines(lines)
    assert [line for line in sent if line.endswith("child")] == ["sent 1000 by child"]
    assert len(set(sent)) == len(sent) == 201


def test_fork_in_mid_send_with_the_real_client_keeps_the_connection_the_parents() -> None:
    """The child closes no socket of the parent's, and opens its own; so does its own child."""
    with fault_server() as server:
        server.fault = HANG
        program = """
        producer = RecommendationProducer(sys.argv[1], "us-east-1", sys.argv[2], max_age=0.0)
        producer.enqueue(**recommendation(0))
        sys.stdin.read(1)
        for number in (1, 2):
            child = os.fork()
            if child != 0:
                break
            producer.enqueue(**recommendation(number))
        if child == 0:
            print("all forked", flush=True)
        gc.collect()
        assert has_sent(producer, 1)
        if child != 0:
            assert os.waitpid(child, 0)[1] == 0
        """
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PRELUDE + textwrap.dedent(program)]
        process = subprocess.Popen(  # noqa: S603 - our own
            [*command, server.queue_url, server.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert server.asked.wait(NOTHING_HANGS)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "all forked\n"
        server.heal()
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0
        assert set(server.arrived_numbers()) == {0, 1, 2}


def test_signal_handler_may_enqueue_and_flush_at_any_moment() -> None:
    """Within an enqueue and within a flush of the same thread."""
    lines, _ = run_python(
        """
        producer = make(max_items=1_000_000)
        handled = 0

        def handler(*_):
            global handled
            handled += 1
            assert producer.enqueue(**recommendation(100_000 + handled)).accepted
            if handled % 10 == 0:
                producer.flush(0.001)

        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        own = 0
        ends = time.monotonic() + 1.0
        while time.monotonic() < ends:
            producer.enqueue(**recommendation(own))
            own += 1
            if own % 100 == 0:
                producer.flush(0.01)
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert handled > 10
        assert has_sent(producer, own + handled)
        print("count", own + handled)
        """
    )
    sent = sent_lines(lines)
    assert len(set(sent)) == len(sent) == int(lines[-1].split()[1])


def test_finalizer_may_enqueue_wherever_the_collector_runs() -> None:
    """Within an enqueue, and on the sender's own thread."""
    lines, _ = run_python(
        """
        producer = make(max_items=1_000_000)
        finalized_on = []

        class Host:
            def __init__(self):
                self.itself = self  # only the collector ends it

            def __del__(self):
                finalized_on.append(threading.current_thread().name)
                assert producer.enqueue(**recommendation(100_000 + len(finalized_on))).accepted

        gc.set_threshold(3, 1, 1)
        for number in range(1_000):
            Host()
            assert producer.enqueue(**recommendation(number)).accepted
            if number % 100 == 0:
                producer.flush(20)
        gc.disable()
        assert len(finalized_on) > 100
        assert has_sent(producer, 1_000 + len(finalized_on))
        print("count", 1_000 + len(finalized_on))
        """
    )
    sent = sent_lines(lines)
    assert len(set(sent)) == len(sent) == int(lines[-1].split()[1])


def test_threads_and_event_loops_share_one_producer() -> None:
    """Each thread with several `asyncio.run`, all at once."""
    lines, _ = run_python(
        """
        import asyncio
        producer = make()

        async def invocation(number):
            assert producer.enqueue(**recommendation(number)).accepted
            assert (await producer.aflush(20)).sent > 0

        def work(first):
            for number in range(first, first + 10):
                asyncio.run(invocation(number))

        threads = [threading.Thread(target=work, args=(100 * number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert has_sent(producer, 40)
        """
    )
    sent = sent_lines(lines)
    assert len(set(sent)) == len(sent) == 40


def test_worker_that_dies_again_and_again_is_replaced_each_time() -> None:
    """Killed by an exception in the middle of a call; its envelopes pass on to its successor."""
    lines, _ = run_python(
        """
        producer = make()
        for number in range(100):
            if number % 10 == 0:
                queue._reactions.append(SystemExit())
            producer.enqueue(**recommendation(number))
            if number % 20 == 0:
                producer.flush(20)
        assert has_sent(producer, 100)
        assert len(queue.threads) > 3, len(queue.threads)
        assert len(set(queue.arrived)) == len(queue.arrived) == 100
        """
    )
    assert len(set(sent_lines(lines))) == 100


def test_exit_drains_what_is_left() -> None:
    """A program that forgot to flush."""
    lines, _ = run_python(
        """
        producer = make(max_age=600.0, emit_metrics=True)
        for number in range(3):
            producer.enqueue(**recommendation(number))
        """
    )
    assert lines[:3] == [f"sent {number} by parent" for number in range(3)]
    assert json.loads(lines[3])["RecommendationsEnqueued"] == 3


def test_exit_waits_at_most_a_second_and_counts_the_rest() -> None:
    """A queue that takes the request and never answers does not hold up the exit."""
    with fault_server() as server:
        server.fault = HANG
        lines, ended = run_python(
            """
            producer = RecommendationProducer(sys.argv[1], "us-east-1", sys.argv[2], emit_metrics=True)
            for number in range(3):
                producer.enqueue(**recommendation(number))
            producer.flush(1.0)
            print(time.monotonic())
            """,
            server.queue_url,
            server.url,
        )
        assert server.faults[HANG] > 0
    emitted = [json.loads(line) for line in lines if line.startswith("{")]
    (dropped,) = [line for line in emitted if "Reason" in line]
    assert (dropped["Reason"], dropped["RecommendationsDropped"]) == ("shutdown", 3)
    (end_of_program,) = [float(line) for line in lines if not line.startswith("{")]
    assert 1.0 <= ended - end_of_program < 1.0 + PROMPT


def test_forgotten_producer_is_not_kept_alive_by_fork_and_exit_hooks() -> None:
    """Both hooks hold it weakly."""
    lines, _ = run_python(
        """
        import weakref
        producer = make()
        reference = weakref.ref(producer)
        producer.close()
        del producer
        gc.collect()
        print(reference() is None)
        child = os.fork()
        if child == 0:
            sys.exit(0)
        print(os.waitpid(child, 0)[1])
        """
    )
    assert lines == ["True", "0"]
