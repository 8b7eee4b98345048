"""A discrete-time simulation of queue, event source mapping, consumer and table."""

import random
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Final, NamedTuple

from benchmarks.scaling.limits import DEADLINE, FIRST_BATCHES, IN_FLIGHT, MORE_BATCHES, RECEIVES, VISIBILITY, Setting

STEP: Final = 0.1  # seconds
_MANY: Final = 1_000
_NOTHING: Final = 1e-9  # messages: what is left of a float


class Cohort(NamedTuple):
    """Messages that arrived in the same step and were received as often."""

    arrived: float
    receives: int
    messages: float


@dataclass(slots=True)
class Invocation:
    """One batch under way: what is still to be written of it, oldest first."""

    started: float
    left: deque[Cohort]
    wait: float  # seconds until the first write

    @property
    def count(self) -> float:
        """How many messages are not written yet."""
        return sum(cohort.messages for cohort in self.left)


@dataclass(slots=True)
class Result:
    """What became of the load. `lags` are pairs of seconds and messages; counts are messages."""

    arrived: float = 0.0
    stored: float = 0.0
    dead: float = 0.0
    returned: float = 0.0
    invocations: int = 0
    backlog: float = 0.0  # at the end, those under way and those invisible included
    most_under_way: float = 0.0
    lags: list[tuple[float, float]] = field(default_factory=list)

    def lag(self, percent: float) -> float:
        """Return the seconds that so many percent of the stored messages did not exceed."""
        wanted = self.stored * percent / 100
        total = 0.0
        for seconds, messages in sorted(self.lags):
            total += messages
            if total >= wanted - _NOTHING:
                return seconds
        return 0.0


def simulate(rate: float, seconds: float, setting: Setting, seed: int = 1) -> Result:
    """Send `rate` messages a second for so long; return what is so when it ends. Equal arguments give equal results."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    result = Result()
    waiting: deque[Cohort] = deque()
    invisible: deque[tuple[float, Cohort]] = deque()  # by the time of return
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
        # The mapping adds batches while messages are waiting, and has few again when there are none.
        busy_since = (now if busy_since is None else busy_since) if waiting else None
        ramp = 0.0 if busy_since is None else (now - busy_since) * MORE_BATCHES
        _start(waiting, running, int(min(setting.batches, FIRST_BATCHES + ramp)), setting, now=now, result=result)
        _write(running, setting, now, result)
        _give_up(running, invisible, now, result)
        running = [invocation for invocation in running if invocation.left]
    under_way = sum(invocation.count for invocation in running)
    result.backlog = sum(one.messages for one in waiting) + under_way + sum(one.messages for _, one in invisible)
    return result


def _arriving(mean: float, chance: random.Random) -> int:
    """Return a count at random, of the Poisson distribution: near enough, by the normal one, when it is large."""
    if mean > _MANY:
        return max(0, round(chance.gauss(mean, mean**0.5)))
    arrived, time = 0, chance.expovariate(1.0)
    while time < mean:
        arrived += 1
        time += chance.expovariate(1.0)
    return arrived


def _start(  # noqa: PLR0913 - the state of one step
    waiting: deque[Cohort], running: list[Invocation], batches: int, setting: Setting, *, now: float, result: Result
) -> None:
    ready = sum(cohort.messages for cohort in waiting)
    under_way = sum(invocation.count for invocation in running)
    while waiting and len(running) < batches:
        is_full = ready >= setting.records
        if not is_full and now - waiting[0].arrived < setting.window:
            return
        room = min(setting.records, IN_FLIGHT - under_way)
        if room < 1:
            return
        taken: deque[Cohort] = deque()
        while waiting and room > 0:
            cohort = waiting.popleft()
            part = min(cohort.messages, room)
            taken.append(cohort._replace(messages=part, receives=cohort.receives + 1))
            if part < cohort.messages:
                waiting.appendleft(cohort._replace(messages=cohort.messages - part))
            room, ready, under_way = room - part, ready - part, under_way + part
        running.append(Invocation(now, taken, setting.invocation_seconds))
        result.invocations += 1
        result.most_under_way = max(result.most_under_way, under_way)


def _write(running: list[Invocation], setting: Setting, now: float, result: Result) -> None:
    """Let each invocation write as fast as it can, and all together as fast as DynamoDB takes it."""
    fair = setting.writes(now) * STEP / len(running) if running else 0.0
    for invocation in running:
        time = max(0.0, STEP - invocation.wait)
        invocation.wait = max(0.0, invocation.wait - STEP)
        room = min(time / setting.record_seconds, fair)
        while invocation.left and room > 0:
            cohort = invocation.left.popleft()
            part = min(cohort.messages, room)
            room -= part
            result.stored += part
            result.lags.append((now + STEP - cohort.arrived, part))
            if cohort.messages - part > _NOTHING:
                invocation.left.appendleft(cohort._replace(messages=cohort.messages - part))


def _give_up(running: list[Invocation], invisible: deque[tuple[float, Cohort]], now: float, result: Result) -> None:
    """Name what could not be written until the deadline: it returns when its visibility timeout ends, or is dead."""
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
