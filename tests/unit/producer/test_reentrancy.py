"""Finalizers and signal handlers may enqueue or flush while their own thread is inside the producer."""

import dis
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import CodeType, FrameType
from typing import Any

import pytest

from recommendation_producer import RecommendationProducer
from recommendation_producer._buffer import Buffer
from tests.support.fakes.queue import NOTHING_HANGS, FakeQueue, balanced, recommendation, running_producer

# CPython runs signal handlers and finalizers when a Python function starts and after calls.
STARTS_AND_CALLS = ("RESUME", "CALL")
NEVER = 1_000_000  # more points than any code has


def interruptible(code: CodeType) -> set[int]:
    """Return the offsets in a function's code just before which an interruption can happen."""
    instructions = [(instruction.offset, instruction.opname) for instruction in dis.get_instructions(code)]
    return {
        offset
        for (offset, _), (_, preceding) in zip(instructions[1:], instructions, strict=False)
        if preceding.startswith(STARTS_AND_CALLS)
    }


def interrupted(work: Callable[[], object], at: int, interruption: Callable[[], object]) -> bool:
    """Do the work, interrupted at its `at`-th such point in the buffer's code; return whether it has that many."""
    points = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal points
        if frame.f_code.co_filename != sys.modules[Buffer.__module__].__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and frame.f_lasti in interruptible(frame.f_code):
            points += 1
            if points == at + 1:
                sys.settrace(None)
                interruption()
        return trace

    def traced() -> None:
        sys.settrace(trace)
        work()
        sys.settrace(None)

    thread = threading.Thread(target=traced)  # tracing is per thread, so this does not disturb coverage
    thread.start()
    thread.join()
    return points > at


@pytest.mark.parametrize("bounds", [{}, {"max_items": 2}])
def test_enqueue_within_an_enqueue_loses_no_count_wherever_it_happens(bounds: dict[str, int]) -> None:
    """The second one interrupts at every point where a signal handler may run; with bounds, it fills the buffer."""
    with running_producer(FakeQueue()) as first:
        # Python 3.12 traces opcodes only of code that was traced before.
        interrupted(lambda: first.enqueue(**recommendation()), NEVER, first.close)
        first.flush(NOTHING_HANGS)
    point = 0
    while True:
        queue = FakeQueue()
        with running_producer(queue, max_age=600.0, **bounds) as producer:

            def enqueue(number: int, to: RecommendationProducer = producer) -> None:
                to.enqueue(**recommendation(number))

            def within(to: RecommendationProducer = producer) -> None:
                enqueue(1, to)
                enqueue(2, to)
                to.enqueue(**recommendation(incident_id=""))

            was_interrupted = interrupted(partial(enqueue, 0), point, within)
            enqueue(3)
            balance = producer.flush(NOTHING_HANGS)
        if not was_interrupted:
            break
        point += 1
        assert balanced(balance)
        assert (balance.accepted, balance.pending) == (5, 0)
        assert balance.dropped == ({"invalid": 1, "buffer_full": 2} if bounds else {"invalid": 1})
        assert len(set(queue.arrived_ids())) == len(queue.arrived) == balance.sent
    assert point > 3


def test_refusal_within_a_refusal_is_counted() -> None:
    """The first refusal for a reason, which creates the reason's count, is no exception."""
    point = 0
    while True:
        with running_producer(FakeQueue()) as producer:

            def refuse(to: RecommendationProducer = producer) -> None:
                to.enqueue(**recommendation(incident_id=""))

            was_interrupted = interrupted(refuse, point, refuse)
            balance = producer.balance
        if not was_interrupted:
            break
        point += 1
        assert (balance.accepted, balance.dropped) == (2, {"invalid": 2})
    assert point > 0


def test_flush_within_a_flush_of_the_same_thread_ends() -> None:
    """A SIGTERM handler that drains may interrupt a write to stdout, which then refuses a second writer."""

    class Stdout:
        def __init__(self) -> None:
            self.lines: list[str] = []

        def write(self, text: str) -> None:
            if producer.balance.accepted == 1:
                producer.enqueue(**recommendation(1))
                producer.flush(NOTHING_HANGS)
            self.lines.append(text)

        def flush(self) -> None:
            """Do nothing, as no output is buffered."""

    with running_producer(FakeQueue(), emit_metrics=True) as producer, pytest.MonkeyPatch.context() as patch:
        stdout = Stdout()
        patch.setattr(sys, "stdout", stdout)
        producer.enqueue(**recommendation(0))
        producer.flush(NOTHING_HANGS)
        assert producer.flush(NOTHING_HANGS).sent == 2
    assert sum(text.count('RecommendationsEnqueued":') for text in stdout.lines) == 2
