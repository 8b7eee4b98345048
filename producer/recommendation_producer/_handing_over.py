"""Hands over the output of an agent that runs outside a graph, for the incident whose recording is active."""

import functools
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, ParamSpec, Protocol

from recommendation_producer._balance import Outcome
from recommendation_producer._executor_state.names import kebab_case
from recommendation_producer._executor_state.recommendations import as_id, as_object, as_objects, as_text
from recommendation_producer._loss_log import LOGGER

_P = ParamSpec("_P")

SUCCESS: Final = "SUCCESS"
FAILURE: Final = "FAILURE"
# The parts of an output that are fields of the envelope; all others are the recommendation.
_FIELDS: Final = frozenset({"confidence", "reasoning", "citations"})


class Enqueues(Protocol):
    """The part of the producer used here."""

    @property
    def enqueue(self) -> Callable[..., Outcome]:
        """Enqueue one recommendation, given as keyword arguments; never raises."""


class Recording(NamedTuple):
    """Where outputs go, and which incident and execution they belong to."""

    producer: Enqueues
    incident_id: Any
    execution_id: Any


ACTIVE: Final[ContextVar[Recording | None]] = ContextVar("recommendation_recording", default=None)
_WARNINGS: Final = 100  # count; a host may give each of its agents a new name
_warned: Final[set[str]] = set()


def now() -> datetime:
    """Return the instant at which an agent completes."""
    return datetime.now(UTC)


def harmless(function: Callable[_P, None]) -> Callable[_P, None]:
    """Decorate a function that a host's agent calls: what it raises is counted as an invalid output, and not raised."""

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except Exception:  # noqa: BLE001 - a host's object may raise anything
            recording = ACTIVE.get()
            if recording is not None:
                recording.producer.enqueue()

    return call


@harmless
def hand_over(
    agent: object, output: object, *, timestamp: datetime | str, metadata: Mapping[str, Any], error: object = None
) -> None:
    """Enqueue an agent's output, or its failure if there is an `error`: an exception, or a description. Never raises.

    An output with fields gives the recommendation, and its `confidence`, `reasoning` and `citations` if it has them;
    any other value is kept under `output`. `metadata` entries that are None are left out. If no recording is active,
    nothing is enqueued, and the log says so once for each agent.
    """
    recording = ACTIVE.get()
    if recording is None:
        warn_once(agent, "no recording() is active where it ended")
        return
    fields = as_object(output, "output")
    if isinstance(error, BaseException):
        error = {"type": type(error).__qualname__, "message": str(error)}
    described = {"status": SUCCESS if error is None else FAILURE, "error": error, **metadata}
    recording.producer.enqueue(
        incident_id=as_id(recording.incident_id),
        execution_id=as_id(recording.execution_id),
        agent_type=kebab_case(agent),
        timestamp=timestamp,
        recommendation={name: value for name, value in fields.items() if name not in _FIELDS},
        confidence=fields.get("confidence"),
        reasoning=as_text(fields.get("reasoning")),
        citations=as_objects(fields.get("citations")),
        metadata={name: value for name, value in described.items() if value is not None},
    )


def warn_once(agent: object, reason: str) -> None:
    """Log that an agent's output is not recorded, the first time."""
    name = kebab_case(agent)
    if name not in _warned and len(_warned) < _WARNINGS:
        _warned.add(name)
        LOGGER.warning("the outputs of agent %s are not recorded: %s", name, reason)
