"""Whichever signal handlers, finalizers and threads run, or sender threads die, every envelope is sent once."""

from tests.chaos.producer.program import run_python, sent_lines


def test_signal_handler_may_enqueue_and_flush_at_any_moment() -> None:
    """Even during an enqueue or a flush of the same thread."""
    lines, _ = run_python(
        """
        producer = open_producer(max_items=1_000_000)
        handled = 0

        def handler(*_):
            global handled
            handled += 1
            assert producer.enqueue(**recommendation(100_000 + handled)).accepted
            if handled % 10 == 0:
                producer.flush(0.001)
            if not is_over:
                signal.setitimer(signal.ITIMER_REAL, 0.001)  # only now: a slow machine would do nothing else

        is_over = False
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        enqueued = 0
        ends = time.monotonic() + 1.0
        while time.monotonic() < ends:
            producer.enqueue(**recommendation(enqueued))
            enqueued += 1
            if enqueued % 100 == 0:
                producer.flush(0.01)
        is_over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert handled > 10
        assert has_sent(producer, enqueued + handled)
        print("count", enqueued + handled)
        """
    )
    sent = sent_lines(lines)
    assert len(set(sent)) == len(sent) == int(lines[-1].split()[1])


def test_finalizer_may_enqueue_wherever_the_collector_runs() -> None:
    """Even during an enqueue, and on the sender's own thread."""
    lines, _ = run_python(
        """
        producer = open_producer(max_items=1_000_000)
        finalized_on = []

        class Host:
            def __init__(self):
                self.itself = self  # a cycle, which only the garbage collector frees

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
    """Each of several concurrent threads calls `asyncio.run` repeatedly."""
    lines, _ = run_python(
        """
        import asyncio
        producer = open_producer()

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


def test_sender_thread_that_keeps_dying_is_replaced_each_time() -> None:
    """An exception in the middle of a call kills it; its successor takes over its envelopes."""
    lines, _ = run_python(
        """
        producer = open_producer()
        for number in range(100):
            if number % 10 == 0:
                queue.react(SystemExit())
            producer.enqueue(**recommendation(number))
            if number % 20 == 0:
                producer.flush(20)
        assert has_sent(producer, 100)
        assert len(queue.threads) > 3, len(queue.threads)
        assert len(set(queue.arrived)) == len(queue.arrived) == 100
        """
    )
    assert len(set(sent_lines(lines))) == 100
