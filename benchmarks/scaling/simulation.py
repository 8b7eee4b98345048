"""A discrete-time simulation of the queue, the event source mapping, the consumer and the table."""

import random
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Final, NamedTuple

from benchmarks.scaling.limits import (
    DEADLINE,
    FIRST_BATCHES,
    IN_FLIGHT,
    MORE_BATCHES,
    RECEIVES,
    VISIBILITY,
    Deployment,
)

STEP: Final = 0.1  # seconds
_MANY: Final = 1_000  # arrivals per step, above which the normal distribution stands in for Poisson's
_ROUNDING: Final = 1e-9  # messages; less than this is a float's rounding error


class Cohort(NamedTuple):
    """Messages that arrived in the same step and have the same receive count."""

    arrived: float
    receives: int
    messages: float


@dataclass(slots=True)
class Invocation:
    """A running batch, with the messages it has yet to write, oldest first."""

    started: float
    left: deque[Cohort]
    wait: float  # seconds until the first write

    @property
    def count(self) -> float:
        """How many messages are not yet written."""
        return sum(cohort.messages for cohort in self.left)


@dataclass(slots=True)
class Result:
    """The outcome of a load, in messages. `lags` are pairs of (seconds, messages)."""

    arrived: float = 0.0
    stored: float = 0.0
    dead: float = 0.0
    returned: float = 0.0
    invocations: int = 0
    backlog: float = 0.0  # when the load ends, including messages in flight and invisible ones
    most_in_flight: float = 0.0
    lags: list[tuple[float, float]] = field(default_factory=list)

    def lag(self, percent: float) -> float:
        """Return the lag, in seconds, that `percent` % of the stored messages did not exceed."""
        target = self.stored * percent / 100
        total = 0.0
        for seconds, messages in sorted(self.lags):
            total += messages
            if total >= target - _ROUNDING:
                return seconds
        return 0.0


def simulate(rate: float, seconds: float, deployment: Deployment, seed: int = 1) -> Result:
    """Send `rate` messages a second for `seconds`; return the state at that moment. Deterministic for a seed."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    result = Result()
    waiting: deque[Cohort] = deque()
    invisible: deque[tuple[float, Cohort]] = deque()  # by the time at which they become visible
    running: list[Invocation] = []
    busy_since: float | None = None
    for step in count():
        now = step * STEP
        if now >= seconds:
            break
        arriving = _arriving(rate * STEP, chance)
        result.arrived += arriving
        if arriving:
            waiting.append(Cohort(now, 0, arriving))
        while invisible and invisible[0][0] <= now:
            waiting.appendleft(invisible.popleft()[1])
        # The mapping adds batches while messages are waiting, and starts over once none are.
        busy_since = (now if busy_since is None else busy_since) if waiting else None
        ramp = 0.0 if busy_since is None else (now - busy_since) * MORE_BATCHES
        _start(waiting, running, int(min(deployment.batches, FIRST_BATCHES + ramp)), deployment, now=now, result=result)
        _write(running, deployment, now, result)
        _give_up(running, invisible, now, result)
        running = [invocation for invocation in running if invocation.left]
    result.backlog = (
        sum(cohort.messages for cohort in waiting)
        + sum(invocation.count for invocation in running)
        + sum(cohort.messages for _, cohort in invisible)
    )
    return result


def _arriving(mean: float, chance: random.Random) -> int:
    """Return a random count from the Poisson distribution or, for large means, from the normal one."""
    if mean > _MANY:
        return max(0, round(chance.gauss(mean, mean**0.5)))
    arrived, time = 0, chance.expovariate(1.0)
    while time < mean:
        arrived += 1
        time += chance.expovariate(1.0)
    return arrived


def _start(  # noqa: PLR0913 - the state of one step
    waiting: deque[Cohort],
    running: list[Invocation],
    batches: int,
    deployment: Deployment,
    *,
    now: float,
    result: Result,
) -> None:
    """Start invocations up to `batches` at once, for full batches and for those whose window has passed."""
    ready = sum(cohort.messages for cohort in waiting)
    in_flight = sum(invocation.count for invocation in running)
    while waiting and len(running) < batches:
        is_full = ready >= deployment.records
        if not is_full and now - waiting[0].arrived < deployment.window:
            return
        room = min(deployment.records, IN_FLIGHT - in_flight)
        if room < 1:
            return
        taken: deque[Cohort] = deque()
        while waiting and room > 0:
            cohort = waiting.popleft()
            part = min(cohort.messages, room)
            taken.append(cohort._replace(messages=part, receives=cohort.receives + 1))
            if part < cohort.messages:
                waiting.appendleft(cohort._replace(messages=cohort.messages - part))
            room, ready, in_flight = room - part, ready - part, in_flight + part
        running.append(Invocation(now, taken, deployment.invocation_seconds))
        result.invocations += 1
        result.most_in_flight = max(result.most_in_flight, in_flight)


def _write(running: list[Invocation], deployment: Deployment, now: float, result: Result) -> None:
    """Let each invocation write as fast as it can, within an equal share of what DynamoDB accepts."""
    fair = deployment.writes(now) * STEP / len(running) if running else 0.0
    for invocation in running:
        time = max(0.0, STEP - invocation.wait)
        invocation.wait = max(0.0, invocation.wait - STEP)
        room = min(time / deployment.record_seconds, fair)
        while invocation.left and room > 0:
            cohort = invocation.left.popleft()
            part = min(cohort.messages, room)
            room -= part
            result.stored += part
            result.lags.append((now + STEP - cohort.arrived, part))
            if cohort.messages - part > _ROUNDING:
                invocation.left.appendleft(cohort._replace(messages=cohort.messages - part))


def _give_up(running: list[Invocation], invisible: deque[tuple[float, Cohort]], now: float, result: Result) -> None:
    """At an invocation's deadline, return its unwritten messages to the queue, or count them as dead."""
    for invocation in running:
        if now - invocation.started < DEADLINE:
            continue
        for cohort in invocation.left:
            if cohort.receives >= RECEIVES:
                result.dead += cohort.messages
            else:
                result.returned += cohort.messages
                invisible.append((invocation.started + VISIBILITY, cohort))
        invocation.left.clear()
