"""Fail open: an executor without any right gives the same answers in the same time, and its losses are counted."""

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
from recommendation_producer._draining import CAP
from recommendation_shared import metrics
from tests.support.iam.executor_role import create_role, session_of

pytestmark = pytest.mark.stack

INVOCATIONS: Final = 6
EVENT: Final = {"time": "2026-02-03T12:00:00Z", "detail": {"incidentId": "incident-gitlab-2017-01-31"}}


class NoProducer:
    """An executor that persists nothing: what the others are compared with."""

    def enqueue_state(self, state: object) -> None:
        """Keep nothing."""

    def lambda_handler(self, handler: Handler) -> Handler:
        """Wrap nothing."""
        return handler


class Context:
    """A Lambda context with plenty of time left."""

    def get_remaining_time_in_millis(self) -> int:
        """Answer as the runtime does."""
        return 60_000


@contextmanager
def running_as(stack: LocalStack, role: str) -> Iterator[RecommendationProducer]:
    """Yield a producer whose process has assumed this role, as Lambda's has."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in session_of(stack, role).items():
            patch.setenv(name, value)
        producer = RecommendationProducer(stack.queue_url, stack.region, stack.endpoint_url, emit_metrics=True)
        try:
            yield producer
        finally:
            producer.close(timeout=0.0)


def invoked(handler: Handler) -> tuple[list[dict[str, Any]], list[float]]:
    """Invoke a warm executor several times; return its results and how many seconds each took."""
    handler(EVENT, Context())  # the sender's first call imports and connects, on its own thread
    results, seconds = [], []
    for _ in range(INVOCATIONS):
        started = time.perf_counter()
        results.append(handler(EVENT, Context()))
        seconds.append(time.perf_counter() - started)
    return results, seconds


def dropped_by_reason(lines: str) -> dict[str, int]:
    """Add up the drops in what a function wrote to its log, as CloudWatch does."""
    found: dict[str, int] = {}
    for line in lines.splitlines():
        document = json.loads(line)
        if metrics.DROPPED in document:
            reason = document[metrics.REASON]
            found[reason] = found.get(reason, 0) + document[metrics.DROPPED]
    return found


@pytest.fixture(scope="module")
def role(stack: LocalStack) -> Callable[..., str]:
    """Create roles of an executor, each of which is used once."""
    return lambda name, *policies: create_role(stack, f"fail-open-{name}", *policies)


def test_executor_without_any_permission_answers_the_same_in_the_same_time(
    stack: LocalStack, role: Callable[..., str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Every call is refused by IAM; the executor's result, its time and the account of what was lost stand."""
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
    assert max(failing) < max(without) + CAP  # the most that a drain may add
    assert statistics.median(failing) < statistics.median(sending) + 0.1  # a refusal is not waited for
    lost = RECOMMENDATIONS * (INVOCATIONS + 1)
    assert (balance.accepted, balance.sent, balance.pending) == (lost, 0, 0)
    assert balance.dropped == dropped_by_reason(capfd.readouterr().out) == {SEND_FAILED: lost}


def test_permission_that_is_taken_away_in_mid_flight_costs_what_comes_after_and_nothing_else(
    stack: LocalStack, role: Callable[..., str]
) -> None:
    """And it is used again, without a restart, once it is given back."""
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


def test_executor_without_credentials_or_queue_answers_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is configured at all, and still nothing is raised; the drops say why."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    plain = lambda_handler(NoProducer())(EVENT, Context())
    producer = RecommendationProducer.from_env()
    assert lambda_handler(producer)(EVENT, Context()) == plain
    assert producer.balance.dropped == {"not_configured": RECOMMENDATIONS}
    producer.close(timeout=0.0)
