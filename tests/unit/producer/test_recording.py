"""`recording` and `records`: the outputs of plain functions."""

import asyncio
import inspect
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from recommendation_producer import RecommendationProducer, _handing_over
from recommendation_producer.recording import recording, records
from tests.support.fakes.keeping_producer import KeepingProducer


@dataclass
class Advice:
    """An agent's structured output."""

    action: str
    confidence: float
    reasoning: str = "deploy 41"


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeepingProducer]:
    """A producer whose recording is active; warnings of other tests are forgotten."""
    monkeypatch.setattr(_handing_over, "_warned", set())
    keeping = KeepingProducer()
    with recording(keeping, incident_id="incident-1", execution_id="execution-1"):
        yield keeping


@records(agent_type="signal-intelligence", metadata={"agentVersion": "1.2.0"})
def analyse(output: Any) -> Any:
    """Return what it is given, or raise it."""
    if isinstance(output, BaseException):
        raise output
    return output


@records(agent_type="signal-intelligence")
async def analyse_async(output: Any) -> Any:
    """Do the same in a coroutine."""
    await asyncio.sleep(0)
    if isinstance(output, BaseException):
        raise output
    return output


def test_a_mapping_is_the_recommendation(producer: KeepingProducer) -> None:
    """With its confidence, reasoning and citations where the envelope has them."""
    output = {"action": "roll back", "confidence": 0.9, "reasoning": "deploy 41", "citations": [{"id": "m-1"}]}
    assert analyse(output) is output
    (envelope,) = producer.kept
    assert (envelope["incidentId"], envelope["executionId"]) == ("incident-1", "execution-1")
    assert envelope["agentType"] == "signal-intelligence"
    assert envelope["recommendation"] == {"action": "roll back"}
    assert (envelope["confidence"], envelope["reasoning"]) == (0.9, "deploy 41")
    assert envelope["citations"] == [{"id": "m-1"}]
    assert envelope["metadata"].keys() == {"status", "durationMs", "agentVersion"}
    assert envelope["metadata"]["status"] == "SUCCESS"
    assert "action" in output  # the host's own is unchanged
    assert "confidence" in output


@pytest.mark.parametrize(
    ("output", "recommendation"),
    [
        (Advice("roll back", 0.9), {"action": "roll back"}),
        ("Roll back.", {"output": "Roll back."}),
        (["a", "b"], {"output": ["a", "b"]}),
        (None, {}),
        (7, {"output": 7}),
        (object, {"output": "<class 'object'>"}),
    ],
)
def test_any_other_value_is_kept_as_well(output: Any, recommendation: Any, producer: KeepingProducer) -> None:
    """By its fields where it has some, else under `output`."""
    assert analyse(output) is output
    assert [envelope["recommendation"] for envelope in producer.kept] == [recommendation]


@pytest.mark.parametrize("error", [ValueError("no data"), KeyboardInterrupt()])
def test_an_exception_is_recorded_as_a_failure_and_raised_again(
    error: BaseException, producer: KeepingProducer
) -> None:
    """The same exception, and the audit shows that the agent failed."""
    with pytest.raises(type(error)) as caught:
        analyse(error)
    assert caught.value is error
    (envelope,) = producer.kept
    assert envelope["recommendation"] == {}
    assert envelope["metadata"]["status"] == "FAILURE"
    assert envelope["metadata"]["error"] == {"type": type(error).__name__, "message": str(error)}


async def test_coroutine_functions_are_recorded_when_they_end(producer: KeepingProducer) -> None:
    """They remain coroutine functions, and what they raise is raised again."""
    assert inspect.iscoroutinefunction(analyse_async)
    coroutine = analyse_async("Roll back.")
    assert producer.kept == []
    assert await coroutine == "Roll back."
    with pytest.raises(ValueError, match="no data"):
        await analyse_async(ValueError("no data"))
    assert [envelope["metadata"]["status"] for envelope in producer.kept] == ["SUCCESS", "FAILURE"]


async def test_a_function_that_returns_a_coroutine_is_recorded_when_that_ends(producer: KeepingProducer) -> None:
    """As a decorator below ours may make it."""

    async def answer() -> str:
        return "Roll back."

    wrapped = records(agent_type="late")(lambda: answer())  # noqa: PLW0108 - a plain function is the point
    coroutine = wrapped()
    assert producer.kept == []
    assert await coroutine == "Roll back."
    assert [envelope["recommendation"] for envelope in producer.kept] == [{"output": "Roll back."}]


async def test_a_cancelled_agent_is_recorded_as_a_failure(producer: KeepingProducer) -> None:
    """An agent that was cut off at a deadline is a part of the audit."""

    @records(agent_type="slow")
    async def slow() -> None:
        await asyncio.sleep(3600)

    task = asyncio.create_task(slow())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [envelope["metadata"]["error"]["type"] for envelope in producer.kept] == ["CancelledError"]


async def test_tasks_and_to_thread_belong_to_the_block_that_they_start_in(producer: KeepingProducer) -> None:
    """Several agents of one execution run at once; two executions do not mix."""
    other = KeepingProducer()

    async def elsewhere() -> None:
        with recording(other, incident_id="incident-2", execution_id="execution-2"):
            await asyncio.gather(analyse_async({"n": 1}), asyncio.to_thread(analyse, {"n": 2}))

    await asyncio.gather(elsewhere(), analyse_async({"n": 3}))
    assert sorted(envelope["recommendation"]["n"] for envelope in other.kept) == [1, 2]
    assert {envelope["incidentId"] for envelope in other.kept} == {"incident-2"}
    assert [envelope["recommendation"] for envelope in producer.kept] == [{"n": 3}]


def test_a_thread_without_a_block_is_not_recorded_and_the_log_says_so_once(
    producer: KeepingProducer, caplog: pytest.LogCaptureFixture
) -> None:
    """A plain thread pool does not inherit the block."""
    with caplog.at_level(logging.WARNING, "recommendation_producer"), ThreadPoolExecutor(1) as pool:
        assert list(pool.map(analyse, ["a", "b"])) == ["a", "b"]
    assert producer.kept == []
    assert caplog.messages == [
        "the outputs of agent signal-intelligence are not recorded: no recording() is active where it ended"
    ]


def test_warnings_are_bounded(producer: KeepingProducer, caplog: pytest.LogCaptureFixture) -> None:
    """A host may name an agent anew in each invocation."""
    assert producer.kept == []
    thread = threading.Thread(target=lambda: [records(agent_type=f"agent-{n}")(str)() for n in range(150)])
    with caplog.at_level(logging.WARNING, "recommendation_producer"):
        thread.start()
        thread.join()
    assert len(caplog.messages) == 100


def test_generator_functions_are_left_alone_and_the_log_says_so(
    producer: KeepingProducer, caplog: pytest.LogCaptureFixture
) -> None:
    """They have no single output."""

    def sync_steps() -> Iterator[str]:
        yield "a"

    async def async_steps() -> AsyncIterator[str]:
        yield "a"

    with caplog.at_level(logging.WARNING, "recommendation_producer"):
        assert records(agent_type="steps")(sync_steps) is sync_steps
        assert records(agent_type="async-steps")(async_steps) is async_steps
    assert len(caplog.messages) == 2
    assert list(sync_steps()) == ["a"]
    assert producer.kept == []


def test_blocks_may_be_nested(producer: KeepingProducer) -> None:
    """The innermost counts, and the outer one counts again after it."""
    inner = KeepingProducer()
    with recording(inner, incident_id="incident-2", execution_id="execution-2"):
        analyse("inner")
    analyse("outer")
    assert [envelope["recommendation"] for envelope in inner.kept] == [{"output": "inner"}]
    assert [envelope["recommendation"] for envelope in producer.kept] == [{"output": "outer"}]


def test_an_output_that_cannot_be_read_is_counted_and_does_no_harm(producer: KeepingProducer) -> None:
    """An exception whose text raises must not replace the host's exception."""

    class HostileError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("hostile")

    with pytest.raises(HostileError):
        analyse(HostileError())
    assert (producer.kept, producer.invalid) == ([], 1)


def test_the_name_and_documentation_of_a_function_stay() -> None:
    """So that frameworks which read them still work."""
    assert (analyse.__name__, analyse.__doc__) == ("analyse", "Return what it is given, or raise it.")


def test_it_works_with_the_real_producer() -> None:
    """Which counts what it is given, even without a queue."""
    real = RecommendationProducer(None, emit_metrics=False)
    with recording(real, incident_id="incident-1", execution_id="execution-1"):
        analyse("Roll back.")
    assert real.balance.dropped == {"not_configured": 1}
    real.close()
