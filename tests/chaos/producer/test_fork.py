"""Real forks: each side sends its own envelopes, and the balance is checked at the end of each process."""

import pytest

from tests.chaos.producer.program import run_python, sent_lines, started
from tests.support.fakes.queue import NOTHING_HANGS
from tests.support.servers.sqs_server import HANG, sqs_server


def test_forked_child_starts_empty_and_sends_only_its_own_whichever_locks_were_held() -> None:
    """Another thread holds every lock, and does not exist in the child; the parent's envelopes stay with the parent."""
    lines, _ = run_python(
        """
        logging.basicConfig()
        locks, real_lock, real_rlock = [], threading.Lock, threading.RLock
        threading.Lock = lambda: locks.append(real_lock()) or locks[-1]
        threading.RLock = lambda: locks.append(real_rlock()) or locks[-1]
        producer = open_producer(max_age=600.0, emit_metrics=True)  # conditions create their locks in the same way
        threading.Lock, threading.RLock = real_lock, real_rlock
        assert locks
        producer.enqueue(**recommendation(1))
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
        producer = open_producer()
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


def test_fork_during_a_send_leaves_the_connection_to_the_parent() -> None:
    """With the real client, the child closes none of the parent's sockets and opens its own; so does its own child."""
    with sqs_server() as server:
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
        process = started(program, server.queue_url, server.url)
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


def test_forgotten_producer_is_not_kept_alive_by_fork_and_exit_hooks() -> None:
    """Both hooks hold only weak references to it."""
    lines, _ = run_python(
        """
        import weakref
        producer = open_producer()
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


SLOW_BOTOCORE = """
        from importlib.machinery import PathFinder
        from recommendation_shared.import_guard import FORK_WAIT

        class Slow:  # stops in the middle of importing botocore, with the locks of its modules held
            @staticmethod
            def find_spec(name, path, target=None):
                if name != "botocore.session":
                    return None
                spec = PathFinder.find_spec(name, path)
                run = spec.loader.exec_module
                spec.loader.exec_module = lambda module: (stopped.set(), time.sleep(float(sys.argv[3])), run(module))
                return spec

        stopped = threading.Event()
        for name in [name for name in sys.modules if name.partition(".")[0] == "botocore"]:
            del sys.modules[name]
        sys.meta_path.insert(0, Slow)
        producer = RecommendationProducer(sys.argv[1], "us-east-1", sys.argv[2], max_age=0.0)
        producer.enqueue(**recommendation(0))
        assert stopped.wait(20)
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            producer.enqueue(**recommendation(1))
"""


def test_fork_during_the_import_of_botocore_waits_for_it_and_both_sides_send() -> None:
    """The import takes a moment. Without the wait, the child would inherit the locks of half imported modules."""
    with sqs_server() as server:
        program = f"""
        from recommendation_shared import import_guard
        import_guard.FORK_WAIT = 20.0  # on a busy machine, the rest of the import may take longer than the usual 2 s
        {SLOW_BOTOCORE}
            import botocore.session
            assert has_sent(producer, 1)
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert has_sent(producer, 1)
        """
        assert run_python(program, server.queue_url, server.url, "0.2")[0] == []
        assert sorted(server.arrived_numbers()) == [0, 1]


def test_fork_waits_only_briefly_for_an_import_that_hangs() -> None:
    """The child then counts its envelopes instead of importing, which would never end; the parent still sends."""
    with sqs_server() as server:
        program = f"""{SLOW_BOTOCORE}
            assert time.monotonic() - started < 2 * FORK_WAIT
            balance = producer.flush(20)
            assert balance.dropped == {{"client_unavailable": 1}}, balance
            assert time.monotonic() - started < 3 * FORK_WAIT
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert has_sent(producer, 1)
        """
        assert run_python(program, server.queue_url, server.url, "6")[0] == []
        assert set(server.arrived_numbers()) == {0}


SLOW_IMPORT = """
        from importlib.machinery import PathFinder
        from recommendation_producer._draining.after_response import open_api
        from recommendation_shared import import_guard
        from recommendation_shared.envelope.raw_confidence import set_aside  # which imports what others import as well

        module, call = sys.argv[1:]

        class Slow:  # stops in the middle of importing the module, with its lock held
            @staticmethod
            def find_spec(name, path, target=None):
                if name != module:
                    return None
                spec = PathFinder.find_spec(name, path)
                run = spec.loader.exec_module
                spec.loader.exec_module = lambda module: (stopped.set(), may_end.wait(), time.sleep(0.1), run(module))
                return spec

        stopped, may_end = threading.Event(), threading.Event()
        os.environ["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:9"
        producer = open_producer(client_factory=FakeQueue().client)
        redacting = open_producer(client_factory=FakeQueue().client, redact=lambda fields: fields)
        LARGE = recommendation(1) | {"reasoning": "x" * 1_100_000}
        state = {"hypotheses": {"a": {"agent_id": "a", "findings": {}}}, "start_timestamp": "2026-01-31T12:00:00Z"}
        sys.modules.pop(module, None)
        sys.meta_path.insert(0, Slow)
        thread = threading.Thread(target=lambda: eval(call))
        thread.start()
        assert stopped.wait(20)
"""
CALLS = {
    "recommendation_shared.item.shrink": "(producer.enqueue(**LARGE), producer.flush(20.0))[1].sent or None",
    "recommendation_shared.envelope.raw_confidence": "producer.enqueue(**recommendation(1) | {'confidence': 2})",
    "recommendation_shared.exact_json.parse": "redacting.enqueue(**recommendation(1))",
    "hashlib": "producer.enqueue_state(state)",
    "recommendation_producer._draining.handler": "producer.lambda_handler(len)",
    "recommendation_producer._draining.extensions_api": "open_api()",
}


@pytest.mark.parametrize("module", CALLS)
def test_fork_during_an_import_on_another_thread_waits_for_it(module: str) -> None:
    """Without the wait, the child's first such call would hang forever, in the host's own code."""
    program = f"""{SLOW_IMPORT}
        import_guard.FORK_WAIT = 20.0
        os.register_at_fork(before=may_end.set)  # runs before the hooks that are registered already
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            print(eval(call) is not None, flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        thread.join()
        """
    assert run_python(program, module, CALLS[module])[0] == ["True"]


def test_child_of_a_fork_that_did_not_wait_for_an_import_drops_the_envelope() -> None:
    """It cannot be shrunk there without the module; others are sent as usual."""
    program = f"""{SLOW_IMPORT}
        import_guard.FORK_WAIT = 0.01
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            producer.enqueue(**LARGE)
            print(producer.flush(20.0).dropped, flush=True)
            producer.enqueue(**recommendation(2))
            print(producer.flush(20.0).sent, flush=True)
            os._exit(0)
        may_end.set()
        assert os.waitpid(child, 0)[1] == 0
        thread.join()
        """
    module = "recommendation_shared.item.shrink"
    assert run_python(program, module, CALLS[module])[0] == ["{'invalid': 1}", "1"]
