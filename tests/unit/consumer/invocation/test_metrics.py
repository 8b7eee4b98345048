"""The metrics of an invocation are emitted once, however it ends."""

from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from recommendation_consumer import invocation
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
    with suppress(NothingStoredError):
        await invoke(event, table, queue)
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


@pytest.mark.parametrize("answer", [25, 1, client_error("ThrottlingException")])
async def test_throttling_is_counted_by_request(capsys: pytest.CaptureFixture[str], answer: Any) -> None:
    """One refused request of 25 items is no persistent throttling, and must not fire the alarm for more than ten."""
    sums = await _totals(capsys, event(*bodies(25)), FakeTable(answer))
    assert sums["RecommendationPersistenceThrottled"] == 1


async def test_metrics_are_emitted_although_an_invocation_breaks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQS redelivers the whole batch, and what was counted until then is not lost."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(invocation, "send_dead_letters", broken)
    with pytest.raises(ZeroDivisionError):
        await invoke(event(*bodies(7), "poison"), FakeTable())
    assert totals(capsys.readouterr().out)["RecommendationsPersisted"] == 7


async def test_unexpected_error_is_counted_beside_what_was_stored(capsys: pytest.CaptureFixture[str]) -> None:
    """SQS redelivers its chunk only."""
    assert await _totals(capsys, event(*bodies(30)), FakeTable(ZeroDivisionError())) == {
        "RecommendationsPersisted": 5,
        "RecommendationPersistenceFailure": 25,
    }


async def test_poison_that_cannot_be_dead_lettered_counts_as_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """The poison is left to the redrive policy, and counts as not stored."""
    denied = FakeDeadLetterQueue(error=client_error("AccessDenied"))
    assert await _totals(capsys, event("poison", body()), FakeTable(), denied) == {
        "RecommendationsPersisted": 1,
        "RecommendationPersistenceFailure": 1,
    }
