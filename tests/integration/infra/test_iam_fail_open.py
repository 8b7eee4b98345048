"""Fail open: an executor without permissions returns the same results in the same time, and counts what it drops."""

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from examples.executor.execution import RECOMMENDATIONS
from examples.executor.handler import Handler, lambda_handler
from infra.local import LocalStack
from recommendation_producer import RecommendationProducer
from recommendation_producer._balance import SEND_FAILED
from recommendation_producer._draining.handler import CAP
from recommendation_shared import metrics
from tests.support.iam.roles import create_role, session_of

pytestmark = pytest.mark.stack

INVOCATIONS: Final = 6
EVENT: Final = {"time": "2026-02-03T12:00:00Z", "detail": {"incidentId": "incident-gitlab-2017-01-31"}}


class NoProducer:
    """Persists nothing; the baseline for the others."""

    def enqueue_state(self, state: object) -> None:
        """Do nothing."""

    def lambda_handler(self, handler: Handler) -> Handler:
        """Return the handler unchanged."""
        return handler


class Context:
    """A Lambda context with plenty of time left."""

    def get_remaining_time_in_millis(self) -> int:
        """Return milliseconds, as the runtime does."""
        return 60_000


@contextmanager
def running_as(stack: LocalStack, role: str) -> Iterator[RecommendationProducer]:
    """Yield a producer whose process has assumed this role, as in Lambda."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in session_of(stack, role).items():
            patch.setenv(name, value)
        producer = RecommendationProducer(stack.queue_url, stack.region, stack.endpoint_url, emit_metrics=True)
        try:
            yield producer
        finally:
            producer.close(timeout=0.0)


def invoked(handler: Handler) -> tuple[list[dict[str, Any]], list[float]]:
    """Invoke a warm executor several times; return its results and the duration of each call in seconds."""
    handler(EVENT, Context())  # the sender's first call imports and connects, on its own thread
    results, seconds = [], []
    for _ in range(INVOCATIONS):
        started = time.perf_counter()
        results.append(handler(EVENT, Context()))
        seconds.append(time.perf_counter() - started)
    return results, seconds


def dropped_by_reason(lines: str) -> dict[str, int]:
    """Sum the drops in a function's log, as CloudWatch does."""
    dropped: dict[str, int] = {}
    for line in lines.splitlines():
        document = json.loads(line)
        if metrics.DROPPED in document:
            reason = document[metrics.REASON]
            dropped[reason] = dropped.get(reason, 0) + document[metrics.DROPPED]
    return dropped


@pytest.fixture(scope="module")
def role(stack: LocalStack) -> Callable[..., str]:
    """Return a function that creates executor roles, each of which is used once."""
    return lambda name, *policies: create_role(stack, f"fail-open-{name}", *policies)


def test_executor_without_permissions_returns_the_same_in_the_same_time(
    stack: LocalStack, role: Callable[..., str], capfd: pytest.CaptureFixture[str]
) -> None:
    """IAM denies every call; the executor's result and duration are unaffected, and its losses are counted."""
    plain, without = invoked(lambda_handler(NoProducer()))
    with running_as(stack, role("permitted", stack.outputs["ExecutorPolicyArn"])) as producer:
        permitted, sending = invoked(lambda_handler(producer))
        assert producer.balance.dropped == {}
        assert producer.balance.sent == RECOMMENDATIONS * (INVOCATIONS + 1)
    capfd.readouterr()

    with running_as(stack, role("without")) as producer:
        refused, failing = invoked(lambda_handler(producer))
        balance = producer.balance

    assert refused == permitted == plain
    assert max(failing) < max(without) + CAP  # the longest that a drain may take
    assert statistics.median(failing) < statistics.median(sending) + 0.1  # a denial is not retried
    lost = RECOMMENDATIONS * (INVOCATIONS + 1)
    assert (balance.accepted, balance.sent, balance.pending) == (lost, 0, 0)
    assert balance.dropped == dropped_by_reason(capfd.readouterr().out) == {SEND_FAILED: lost}


def test_revoked_permission_loses_only_what_is_sent_until_it_is_restored(
    stack: LocalStack, role: Callable[..., str]
) -> None:
    """Sending resumes without a restart."""
    policy = stack.outputs["ExecutorPolicyArn"]
    arn = role("revoked", policy)
    name = arn.rpartition("/")[2]
    with running_as(stack, arn) as producer:
        handler = lambda_handler(producer)
        answers = [handler(EVENT, Context())]
        stack.client("iam").detach_role_policy(RoleName=name, PolicyArn=policy)
        answers.append(handler(EVENT, Context()))
        stack.client("iam").attach_role_policy(RoleName=name, PolicyArn=policy)
        answers.append(handler(EVENT, Context()))
        balance = producer.balance
    assert answers[0] == answers[1] == answers[2]
    assert (balance.sent, balance.dropped) == (2 * RECOMMENDATIONS, {SEND_FAILED: RECOMMENDATIONS})


def test_executor_without_credentials_or_queue_returns_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is configured, yet nothing is raised; the drops have a reason."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    plain = lambda_handler(NoProducer())(EVENT, Context())
    producer = RecommendationProducer.from_env()
    assert lambda_handler(producer)(EVENT, Context()) == plain
    assert producer.balance.dropped == {"not_configured": RECOMMENDATIONS}
    producer.close(timeout=0.0)
