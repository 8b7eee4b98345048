"""The metrics of an invocation are emitted once, however it ends."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from recommendation_consumer.invocation import NothingStoredError
from tests.support.emf import totals
from tests.support.fakes.aws import FakeDeadLetterQueue, FakeTable, client_error
from tests.support.lambdas.event import bodies, body, event
from tests.support.lambdas.invoke import invoke

Totals = dict[str, float]


async def _totals(
    capsys: pytest.CaptureFixture[str], event: Any, table: FakeTable, queue: FakeDeadLetterQueue | None = None
) -> Totals:
    """Run an invocation, which may raise; return its totals, except for times."""
    try:
        await invoke(event, table, queue)
    except NothingStoredError:
        pass
    except ExceptionGroup as group:
        assert group.subgroup(ZeroDivisionError)
    output = capsys.readouterr().out
    assert output.count('"RecommendationPersistenceDuration":') == 1
    times = {"RecommendationPersistenceDuration", "RecommendationQueueLag"}
    return {name: total for name, total in totals(output).items() if name not in times}


async def test_stored_recommendations_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """The usual case."""
    assert await _totals(capsys, event(*bodies(7)), FakeTable()) == {"RecommendationsPersisted": 7}


async def test_full_batch_of_860_incidents_is_counted_completely(capsys: pytest.CaptureFixture[str]) -> None:
    """The size of a full batch: so many records fill 6 MB."""
    texts = [body(f"agent-{number % 7}", incident_id=f"incident-{number}") for number in range(860)]
    assert await _totals(capsys, event(*texts), FakeTable(1)) == {
        "RecommendationsPersisted": 860,
        "RecommendationPersistenceThrottled": 1,
    }


@pytest.mark.parametrize(
    "error",
    [
        client_error("AccessDeniedException"),
        client_error("InternalServerError", 500),
        EndpointConnectionError(endpoint_url="http://table"),
    ],
)
async def test_outage_is_counted_although_the_invocation_raises(
    capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    """It raises, but an outage must show in the metrics."""
    table = FakeTable(last=error)
    assert await _totals(capsys, event(*bodies(7), "poison"), table) == {"RecommendationPersistenceFailure": 7}


async def test_every_throttled_write_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Every throttled write counts for the alarm."""
    sums = await _totals(capsys, event(*bodies(7)), FakeTable(last=client_error("ThrottlingException")))
    assert sums["RecommendationPersistenceFailure"] == 7
    assert sums["RecommendationPersistenceThrottled"] > 7


async def test_metrics_are_emitted_even_after_an_unexpected_exception(capsys: pytest.CaptureFixture[str]) -> None:
    """SQS redelivers the whole batch."""
    assert await _totals(capsys, event(*bodies(7)), FakeTable(last=ZeroDivisionError())) == {}


async def test_poison_that_cannot_be_dead_lettered_counts_as_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """The poison is left to the redrive policy, and counts as not stored."""
    denied = FakeDeadLetterQueue(error=client_error("AccessDenied"))
    assert await _totals(capsys, event("poison", body()), FakeTable(), denied) == {
        "RecommendationsPersisted": 1,
        "RecommendationPersistenceFailure": 1,
    }
