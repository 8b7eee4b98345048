"""SnapStart: what the producer does before Lambda takes the snapshot from which other sandboxes start."""

import logging
import random
import sys
from collections.abc import Callable
from functools import partial
from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest

from recommendation_producer import RecommendationProducer
from tests.support.fakes.queue import NOTHING_HANGS, QUEUE_URL, BlackHole, FakeQueue, recommendation, running_producer


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """The hooks that are registered with Lambda's module, in a sandbox that initialises for a snapshot."""
    registered: list[Callable[[], object]] = []
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", SimpleNamespace(register_before_snapshot=registered.append))
    return registered


def test_envelopes_of_the_initialisation_are_sent_and_counted_once(
    hooks: list[Callable[[], object]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise every sandbox that starts from the snapshot would send them, and write their metrics."""
    queue = FakeQueue()
    with running_producer(queue, emit_metrics=True) as producer:
        producer.enqueue(**recommendation())
        (hook,) = hooks
        hook()
        assert len(queue.arrived) == 1
        assert capsys.readouterr().out.count('"RecommendationsEnqueued":1') == 1
        producer.flush(NOTHING_HANGS)
        assert "RecommendationsEnqueued" not in capsys.readouterr().out


def test_sandbox_that_starts_from_the_snapshot_has_a_client_of_its_own(hooks: list[Callable[[], object]]) -> None:
    """The connections and credentials in the snapshot are those of the sandbox that initialised."""
    queue = FakeQueue()
    with running_producer(queue) as producer:
        producer.enqueue(**recommendation(0))
        hooks[0]()
        producer.enqueue(**recommendation(1))
        producer.flush(NOTHING_HANGS)
        assert queue.clients == 2
        producer.enqueue(**recommendation(2))
        producer.flush(NOTHING_HANGS)
        assert queue.clients == 2


def test_initialisation_ends_although_the_queue_does_not_respond(
    hooks: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is pending is in the snapshot then, and each sandbox sends it: the consumer recognises duplicates."""
    with running_producer(BlackHole()) as producer:
        producer.enqueue(**recommendation())
        monkeypatch.setattr(producer, "flush", partial(producer.flush, 0.0))  # a test does not wait
        hooks[0]()
        assert producer.balance.pending == 1


def test_failure_of_the_hook_does_not_end_the_initialisation(
    hooks: list[Callable[[], object]], caplog: pytest.LogCaptureFixture
) -> None:
    """Lambda would not publish the version."""
    with running_producer(FakeQueue()) as producer:
        producer.flush = None  # type: ignore[assignment,method-assign]  # broken on purpose
        with caplog.at_level(logging.WARNING):
            hooks[0]()
        del producer.flush
    assert "draining before the snapshot failed: TypeError" in caplog.text


@pytest.mark.parametrize("module", [None, SimpleNamespace()], ids=["missing", "another"])
def test_producer_works_without_lambdas_hooks(
    module: Any, hooks: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A container image may have no such module, or a foreign one of that name."""
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", module)
    queue = FakeQueue()
    with caplog.at_level(logging.WARNING), running_producer(queue) as producer:
        producer.enqueue(**recommendation())
        producer.flush(NOTHING_HANGS)
    assert len(queue.arrived) == 1
    assert "nothing is drained before the snapshot: " in caplog.text
    assert not hooks


def test_other_sandboxes_register_no_hook(hooks: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch) -> None:
    """On demand, there is no snapshot."""
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    with running_producer(FakeQueue()):
        assert not hooks


def test_sandboxes_that_start_from_one_snapshot_retry_at_different_times() -> None:
    """The state of Python's generator is part of the snapshot, and so the same in all of them."""
    producer = RecommendationProducer(QUEUE_URL, client_factory=FakeQueue().client)
    delays = []
    for _ in range(2):
        random.seed(1)
        delays.append([*islice(producer._delays(), 8)])
    producer.close(0.0)
    assert delays[0] != delays[1]
