"""An invocation's dependencies on the outside world, in one object."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from aws_lambda_powertools import Logger

from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES
from recommendation_shared.item.standings import Standings
from recommendation_shared.settings import Settings

MAX_IN_FLIGHT: Final = 8  # requests per client; botocore's connection pool holds 10 connections

# The usual agent types and those that a sandbox registers. Each has an item that never expires, and a query of its own
# in each search, so an executor that puts IDs into its agent types must not flood the table.
MAX_AGENT_TYPES: Final = 100

SendBody = Callable[[bytes], Awaitable[Mapping[str, Any]]]
"""Sends the body of a DynamoDB request and returns the response. Raises `ClientError` or `BotoCoreError`."""

SendBatch = Callable[[Sequence[Mapping[str, Any]]], Awaitable[Mapping[str, Any]]]
"""Sends up to ten entries to the dead-letter queue and returns the response. Raises as `SendBody` does."""


class DeadLetterQueue(Protocol):
    """What sending dead letters takes: the keeper sends them as the consumer does."""

    @property
    def send_dead_letters(self) -> SendBatch:
        """Send up to ten entries to the dead-letter queue."""

    @property
    def monotonic(self) -> Callable[[], float]:
        """The clock of the deadline, in seconds."""


@dataclass(slots=True)
class KnownMarks:
    """What a sandbox knows about held and erased incidents, and when it asked: seconds on both clocks."""

    standings: Standings | None = None
    monotonic: float = 0.0
    wall: float = 0.0


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Built once per sandbox by `handler.sandbox`; tests build their own.

    `monotonic` and `wall` return seconds; `wall` counts from the epoch. `delays` starts a new sequence of delays
    between retries, in seconds. `registered_types` grows: the agent types that readers find without a registration, or
    that this sandbox has registered (see `recommendation_shared.item.agent_types`), `max_agent_types` at most. `marks`
    changes whenever it is read again.
    """

    settings: Settings
    logger: Logger
    batch_write: SendBody
    put_item: SendBody
    query: SendBody
    send_dead_letters: SendBatch
    monotonic: Callable[[], float]
    wall: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    delays: Callable[[], Iterator[float]]
    registered_types: set[str] = field(default_factory=lambda: set(KNOWN_AGENT_TYPES))
    max_agent_types: int = MAX_AGENT_TYPES
    marks: KnownMarks = field(default_factory=KnownMarks)
