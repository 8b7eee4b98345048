"""Metrics leave once an invocation, however it ends."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from recommendation_consumer.invocation import NothingStoredError, consume
from tests.support.emf import read_emf
from tests.support.fakes.aws import FakeDeadLetterQueue, FakeTable, client_error, dependencies
from tests.support.lambdas.event import Context, bodies, body, event

Sums = dict[str, float]


async def _sums(
    capsys: pytest.CaptureFixture[str], messages: Any, table: FakeTable, queue: FakeDeadLetterQueue | None = None
) -> Sums:
    """Run an invocation, whatever becomes of it; return what each metric without dimensions adds up to."""
    around = dependencies(table, queue=queue)
    try:
        await consume(messages, Context(), around)
    except NothingStoredError:
        pass
    except ExceptionGroup as group:
        assert group.subgroup(ZeroDivisionError)
    sums: Sums = {}
    durations = 0
    for line in capsys.readouterr().out.splitlines():
        for name, dimensions, values, _ in read_emf(line):
            durations += name == "RecommendationPersistenceDuration"
            if not dimensions:
                sums[name] = sums.get(name, 0) + sum(values)
    assert durations == 1
    del sums["RecommendationPersistenceDuration"]
    sums.pop("RecommendationQueueLag", None)
    return sums


async def test_an_invocation_that_stores_all(capsys: pytest.CaptureFixture[str]) -> None:
    """The usual one."""
    assert await _sums(capsys, event(*bodies(7)), FakeTable()) == {"RecommendationsPersisted": 7}


async def test_an_invocation_of_860_records_of_860_incidents(capsys: pytest.CaptureFixture[str]) -> None:
    """What fills 6 MB."""
    texts = [body(f"agent-{number % 7}", incident_id=f"incident-{number}") for number in range(860)]
    assert await _sums(capsys, event(*texts), FakeTable(1)) == {
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
async def test_an_invocation_that_raises(capsys: pytest.CaptureFixture[str], error: Exception) -> None:
    """Or an outage would be invisible."""
    table = FakeTable(last=error)
    assert await _sums(capsys, event(*bodies(7), "poison"), table) == {"RecommendationPersistenceFailure": 7}


async def test_an_invocation_that_is_throttled_to_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """Each refusal counts for the alarm."""
    sums = await _sums(capsys, event(*bodies(7)), FakeTable(last=client_error("ThrottlingException")))
    assert sums["RecommendationPersistenceFailure"] == 7
    assert sums["RecommendationPersistenceThrottled"] > 7


async def test_an_invocation_that_a_fault_of_ours_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever it is; Lambda delivers all of it again."""
    assert await _sums(capsys, event(*bodies(7)), FakeTable(last=ZeroDivisionError())) == {}


async def test_an_invocation_of_poison_whose_queue_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """Left to the redrive policy, and counted as not stored."""
    refusing = FakeDeadLetterQueue(error=client_error("AccessDenied"))
    assert await _sums(capsys, event("poison", body()), FakeTable(), refusing) == {
        "RecommendationsPersisted": 1,
        "RecommendationPersistenceFailure": 1,
    }
