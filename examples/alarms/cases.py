"""For each alarm of the template, the least that makes it fire and the most that does not.

The local stack cannot cause all of these: it has no ages, durations or refused invocations, and no week passes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from examples.alarms.definition import Alarm, Composite, Metric
from examples.alarms.evaluation import Point, minutes_firing, with_composites

START: Final = 1_800_000_000  # epoch seconds, the start of an hour
_SPAN: Final = 40  # evaluations, beyond those that an alarm looks back
_DAYS: Final = 24 * 3600

Values = Mapping[str, float | Sequence[float]]
"""By a metric's name, its value before the first evaluation, or before each evaluation from the first one on."""


class Case(NamedTuple):
    """What makes an alarm fire, and what just does not. The texts complete "fires after" and "not after"."""

    alarm: str
    fires: str
    firing: Values
    misses: str
    missing: Values


_VISIBLE: Final = "ApproximateNumberOfMessagesVisible"
_IN_FLIGHT: Final = "ApproximateNumberOfMessagesNotVisible"
_AGE: Final = "ApproximateAgeOfOldestMessage"
_FAILED: Final = "RecommendationPersistenceFailure"
_PERSISTED: Final = "RecommendationsPersisted"


def _counted(alarm: str, metric: str, floor: int, what: str) -> Case:
    return Case(alarm, f"more than {floor:,} {what}", {metric: floor + 1}, f"{floor:,} {what}", {metric: floor})


def _one(alarm: str, metric: str, what: str) -> Case:
    return Case(alarm, f"one {what}", {metric: 1}, "none", {metric: 0})


CASES: Final = (
    Case(
        "HighRecommendationPersistenceFailureRate",
        "3 failures among 59 attempts (5.1 %)", {_FAILED: 3, _PERSISTED: 56},
        "3 among 60 (5 %)", {_FAILED: 3, _PERSISTED: 57},
    ),
    Case(
        "HighRecommendationPersistenceFailureRate",
        "3 failures and nothing stored", {_FAILED: 3},
        "2 failures and nothing stored", {_FAILED: 2},
    ),
    _counted("PersistentRecommendationThrottling", "RecommendationPersistenceThrottled", 10, "throttled requests"),
    Case(
        "RecommendationDeadLetterQueueNotEmpty",
        "a dead letter that somebody is looking at", {_VISIBLE: 0, _IN_FLIGHT: 1},
        "no dead letter", {_VISIBLE: 0, _IN_FLIGHT: 0},
    ),
    Case(
        "RecommendationDeadLettersExpiring",
        "5 days with a dead letter in each hour", {_VISIBLE: [1] * 120},
        "5 days with an hour without one", {_VISIBLE: [*[1] * 60, 0, *[1] * 59]},
    ),
    _counted("RecommendationQueueNearRetention", _AGE, 5 * _DAYS, "seconds in the queue"),
    Case(
        "RecommendationsNotPersisted",
        "15 minutes with a message waiting and nothing stored", {_VISIBLE: [1] * 15},
        "the same with one stored", {_VISIBLE: [1] * 15, _PERSISTED: [0] * 7 + [1]},
    ),
    Case(
        "RecommendationsNotPersisted",
        "an hour with a message waiting and nothing stored", {_VISIBLE: [1] * 40},
        "a message stored 4 minutes after it was sent", {_VISIBLE: [1] * 4, _PERSISTED: [0] * 4 + [1]},
    ),
    _one("RecommendationConsumerErrors", "Errors", "failed invocation"),
    _counted("RecommendationConsumerNearTimeout", "Duration", 27_000, "milliseconds"),
    _counted("RecommendationConsumerThrottled", "Throttles", 10, "refused invocations"),
    _one("RecommendationsDropped", "RecommendationsDropped", "dropped by an executor"),
    _one("RecommendationsDropped", "RecommendationsDropped", "expired in the queue"),
    _one("RecommendationAltered", "RecommendationAltered", "replaced in the table"),
    _one("RecommendationAltered", "RecommendationAltered", "edited in the table"),
    _one("RecommendationAltered", "RecommendationAltered", "deleted from the table"),
    _one("RecommendationAltered", "RecommendationAltered", "erased from the table"),
    _one("RecommendationKeeperFailed", _VISIBLE, "change that the keeper gave up on"),
)  # fmt: skip

# What is lost already, or will be within two days. Everything else is a ticket.
PAGING: Final = frozenset(
    {
        "RecommendationsDropped",
        "RecommendationQueueNearRetention",
        "RecommendationDeadLettersExpiring",
        "RecommendationKeeperFailed",
    }
)


def wrong_cases(alarms: Iterable[Alarm]) -> Iterator[str]:
    """Yield a sentence for each case in which an alarm does not fire although it should, or fires at its near miss."""
    by_name = {alarm.name: alarm for alarm in alarms}
    for case in CASES:
        if not _firing(by_name[case.alarm], case.firing):
            yield f"{case.alarm} does not fire after {case.fires}"
        if _firing(by_name[case.alarm], case.missing):
            yield f"{case.alarm} fires after {case.misses}"
    for name in sorted(by_name.keys() - {case.alarm for case in CASES}):
        yield f"{name} has no case"


def wrong_composites(alarms: Iterable[Alarm], composites: Sequence[Composite]) -> Iterator[str]:
    """Yield a sentence for each case in which a composite fires although nothing is being lost, or does not fire."""
    by_name = {alarm.name: alarm for alarm in alarms}
    for case in CASES:
        firing = with_composites({case.alarm: _firing(by_name[case.alarm], case.firing)}, composites)
        for name in sorted(composite.name for composite in composites):
            if (name in firing) != (case.alarm in PAGING):
                does = "fires" if name in firing else "does not fire"
                yield f"{name} {does} after {case.fires} ({case.alarm})"


def wrong_pages(alarms: Iterable[Alarm]) -> Iterator[str]:
    """Yield a sentence for each alarm that pages although nothing is being lost, and for each that should page."""
    paging = {alarm.name for alarm in alarms if alarm.pages}
    for name in sorted(paging - PAGING):
        yield f"{name} pages although nothing is being lost"
    for name in sorted(PAGING - paging):
        yield f"{name} does not page"


def _firing(alarm: Alarm, values: Values) -> list[int]:
    until = START + (alarm.period * alarm.periods + _SPAN * alarm.interval)
    return minutes_firing(alarm, list(_points(alarm, values)), until)


def _points(alarm: Alarm, values: Values) -> Iterator[Point]:
    metrics: dict[str, Metric] = {metric.name: metric for metric in alarm.metrics.values()}
    for name, each in values.items():
        metric = metrics[name]
        for index, value in enumerate(each if isinstance(each, Sequence) else [each]):
            yield Point((metric.namespace, name, metric.resource), START + index * alarm.interval + 10, value)
