"""The producer agrees with a model under random enqueues, flushes, faults, time, forks and dying sender threads.

The sender is the real thread. The queue is scripted call by call, the clock stands still unless a rule moves it, and
the forks are real: the child enqueues, flushes, checks itself and exits.
"""

import asyncio
import json
import os
import signal
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from recommendation_producer import Balance, RecommendationProducer
from recommendation_shared.exact_json import dump
from recommendation_shared.exact_json.orjson_if_usable import ORJSON
from tests.property.producer.scripted_queue import ScriptedQueue
from tests.support.fakes.queue import (
    NOTHING_HANGS,
    QUEUE_URL,
    Reaction,
    aws_error,
    balanced,
    failing,
    recommendation,
)

MAX_AGE = 0.02  # seconds of the model's clock; also the real interval at which the sender checks the buffer
STALLED = 0.2  # seconds of real time without progress: the sender thread may have died
FOREVER = 1e9  # seconds of a clock that stands still: a flush that ends has settled everything
MAX_ITEMS = 40


def holds_in_child(check: Callable[[], None]) -> bool:
    """Run a check in a forked child, which prints what is wrong; return whether it held."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12+ warns of threads, which are the point here
        child = os.fork()
    if child == 0:
        holds = False
        try:
            check()
            holds = True
        except AssertionError:
            os.write(2, traceback.format_exc().encode())  # nobody flushes a stream of the child
        finally:
            os._exit(0 if holds else 1)
    ends = time.monotonic() + NOTHING_HANGS
    while time.monotonic() < ends:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


class ProducerMachine(RuleBasedStateMachine):
    """The model consists of a few counts and sets; `dropped` counts the outcomes' reasons."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.queue = ScriptedQueue()
        self.enqueued = 0
        self.admitted: set[str | None] = set()
        self.dropped: Counter[str] = Counter()

    @initialize(orjson=st.sampled_from([ORJSON, None]))
    def create(self, orjson: object) -> None:
        """Create the producer in a host with orjson, or without, where the sender writes the bodies."""
        self.host = patch.object(dump, "ORJSON", orjson)
        self.host.start()
        self.producer = RecommendationProducer(
            QUEUE_URL,
            client_factory=self.queue.client,
            clock=lambda: self.now,
            jitter=lambda: 0.0,
            max_items=MAX_ITEMS,
            max_bytes=60_000,
            max_age=MAX_AGE,
        )

    @rule(count=st.integers(1, 15), padding=st.sampled_from([0, 0, 5_000]))
    def enqueue(self, count: int, padding: int) -> None:
        """Hand over envelopes with distinct IDs."""
        for _ in range(count):
            self.enqueued += 1
            outcome = self.producer.enqueue(**recommendation(self.enqueued, reasoning="x" * padding))
            if outcome.accepted:
                self.admitted.add(outcome.recommendation_id)
            else:
                assert outcome.reason == "buffer_full"
                self.dropped["buffer_full"] += 1

    @rule()
    def enqueue_invalid(self) -> None:
        """Hand over an invalid envelope."""
        self.enqueued += 1
        assert self.producer.enqueue(**recommendation(incident_id="")).reason == "invalid"
        self.dropped["invalid"] += 1

    @rule(
        name=st.sampled_from(
            ["succeed", "throttle", "break", "die", "omit", "fail_some", "refuse_first", "deny", "refuse_for_size"]
        )
    )
    def script(self, name: str) -> None:
        """Append a reaction to the queue's script."""
        reactions: dict[str, Reaction] = {
            "succeed": None,
            "throttle": aws_error("RequestThrottled", 400),
            "break": ConnectionResetError(),
            "die": SystemExit(),
            "omit": lambda _: {},
            "fail_some": lambda entries: failing(dict.fromkeys(range(0, len(entries), 2), ("InternalError", False)))(
                entries
            ),
            "refuse_first": self.queue.refuse_first,
            "deny": self.queue.deny,
            "refuse_for_size": self.queue.refuse_for_size,
        }
        self.queue.react(reactions[name])

    @rule()
    def hold(self) -> None:
        """Make every call hang from now on."""
        self.queue.is_held = True

    @rule()
    def release(self) -> None:
        """Let the calls continue."""
        self.queue.is_held = False

    @rule(in_coroutine=st.booleans())
    def flush(self, in_coroutine: bool) -> None:
        """Flush until everything is settled; if the queue hangs, without waiting."""
        timeout = 0.0 if self.queue.is_held else FOREVER
        balance = asyncio.run(self.producer.aflush(timeout)) if in_coroutine else self.producer.flush(timeout)
        if not self.queue.is_held:
            self.check_against_model(balance)

    @rule(seconds=st.sampled_from([2 * MAX_AGE, 100.0]))
    def pass_time(self, seconds: float) -> None:
        """Let envelopes reach the age limit: a live worker then sends them without a flush."""
        self.now += seconds
        if not self.queue.is_held:
            started = last_progress = time.monotonic()
            pending = self.producer.balance.pending
            while pending and time.monotonic() < started + NOTHING_HANGS:
                time.sleep(0.001)
                if self.producer.balance.pending < pending:
                    last_progress = time.monotonic()
                elif time.monotonic() > last_progress + STALLED:
                    self.revive_sender()
                    last_progress = time.monotonic()
                pending = self.producer.balance.pending
            self.check_against_model(self.producer.balance)

    def revive_sender(self) -> None:
        """Replace a dead sender thread as its host would: by the next enqueue or, if the buffer is full, by a flush."""
        admitted = len(self.admitted)
        self.enqueue(count=1, padding=0)
        self.now += 2 * MAX_AGE
        if len(self.admitted) == admitted:
            self.producer.flush(0.0)

    @rule(count=st.integers(0, 12))
    def fork(self, count: int) -> None:
        """Fork a child, which starts empty, sends only its own envelopes, and leaves the parent's alone."""

        def sends_its_own() -> None:
            self.queue.is_held = False
            self.queue.forget()
            initial = self.producer.balance
            numbers = range(900_000, 900_000 + count)
            ids = [self.producer.enqueue(**recommendation(number)).recommendation_id for number in numbers]
            assert initial == Balance(0, 0, {}, 0)
            assert self.producer.flush(FOREVER) == Balance(count, count, {}, 0)
            # Two batches may be in flight at the same time, so the second can arrive first.
            assert sorted(self.queue.arrived_ids()) == sorted(map(str, ids))

        assert holds_in_child(sends_its_own)

    @invariant()
    def balance_holds(self) -> None:
        """Check the balance after every step, settled or not."""
        balance = self.producer.balance
        arrived = self.queue.arrived_ids()
        assert balanced(balance)
        assert balance.accepted == self.enqueued
        assert 0 <= balance.pending <= MAX_ITEMS
        assert balance.sent <= len(arrived)
        assert len(set(arrived)) == len(arrived)
        assert set(arrived) <= self.admitted
        known = self.dropped + self.queue.refused
        assert all(count <= known[reason] for reason, count in balance.dropped.items())

    def check_against_model(self, balance: Balance) -> None:
        """Check that, with nothing in flight, each envelope was delivered once or dropped for its reason."""
        dropped = self.dropped + self.queue.refused
        arrived = self.queue.arrived_ids()
        assert balance == Balance(self.enqueued, len(arrived), dict(dropped), 0)
        assert len(set(arrived)) == len(arrived) == len(self.admitted) - self.queue.refused.total()
        assert all(json.loads(body)["schemaVersion"] == 1 for body in self.queue.arrived)

    def teardown(self) -> None:
        """Send the rest, and check once more."""
        try:
            self.release()
            self.check_against_model(self.producer.flush(FOREVER))
            self.producer.close(timeout=0.0)
        finally:
            self.host.stop()


TestProducer = ProducerMachine.TestCase
TestProducer.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
