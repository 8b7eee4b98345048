"""For each alarm of the template, the least that makes it fire and the most that does not.

The local stack cannot cause all of these: it has no ages, durations or refused invocations, and no week passes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from examples.alarms.definition import MINUTE, Alarm, Metric, Pager
from examples.alarms.evaluation import Point, minutes_firing

START: Final = 1_800_000_000  # epoch seconds, the start of a period of five minutes
_SPAN: Final = 40 * MINUTE
_DAYS: Final = 24 * 3600

Values = Mapping[str, float | Sequence[float]]
"""By a metric's name, its value in the first minute, or in each minute from the first one on."""


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
    _counted("RecommendationDeadLettersExpiring", _AGE, 5 * _DAYS, "seconds in the dead-letter queue"),
    _counted("RecommendationQueueOldestMessage", _AGE, 900, "seconds in the queue"),
    _counted("RecommendationQueueNearRetention", _AGE, 5 * _DAYS, "seconds in the queue"),
    Case(
        "RecommendationsNotPersisted",
        "15 minutes with a message waiting and nothing stored", {_VISIBLE: [1] * 15},
        "one stored in that time", {_VISIBLE: [1] * 15, _PERSISTED: [0] * 7 + [1]},
    ),
    Case(
        "RecommendationsNotPersisted",
        "an hour with a message waiting and nothing stored", {_VISIBLE: [1] * 40},
        "a message stored 4 minutes after it was sent", {_VISIBLE: [1] * 4, _PERSISTED: [0] * 4 + [1]},
    ),
    _counted("RecommendationConsumerErrors", "Errors", 0, "failed invocations"),
    _counted("RecommendationConsumerNearTimeout", "Duration", 27_000, "milliseconds"),
    _counted("RecommendationConsumerThrottled", "Throttles", 10, "refused invocations"),
    _counted("RecommendationsDropped", "RecommendationsDropped", 0, "dropped"),
    _counted("RecommendationExpired", "RecommendationExpired", 0, "expired"),
    _counted("RecommendationOverwritten", "RecommendationOverwritten", 0, "replaced in the table"),
    _counted("RecommendationTampered", "RecommendationTampered", 0, "edited in the table"),
    _counted("RecommendationDeleted", "RecommendationDeleted", 0, "deleted from the table"),
    _counted("RecommendationKeeperFailed", _VISIBLE, 0, "changes that the keeper gave up on"),
)  # fmt: skip


def wrong_cases(alarms: Iterable[Alarm]) -> Iterator[str]:
    """Yield a sentence for each case in which an alarm does not fire although it should, or fires at its near miss."""
    by_name = {alarm.name: alarm for alarm in alarms}
    for case in CASES:
        alarm = by_name[case.alarm]
        if not minutes_firing(alarm, list(_points(alarm, case.firing)), START + _SPAN):
            yield f"{case.alarm} does not fire after {case.fires}"
        if minutes_firing(alarm, list(_points(alarm, case.missing)), START + _SPAN):
            yield f"{case.alarm} fires after {case.misses}"
    for name in sorted(by_name.keys() - {case.alarm for case in CASES}):
        yield f"{name} has no case"


def wrong_pages(pager: Pager, alarms: Iterable[Alarm]) -> Iterator[str]:
    """Yield a sentence for each alarm in the pager's rule that does not exist, and if a mere ticket would page."""
    names = {alarm.name for alarm in alarms}
    for name in sorted(pager.alarms - names):
        yield f"{pager.name} refers to {name}, which does not exist"
    if pager.fires({"RecommendationDeadLetterQueueNotEmpty", "RecommendationConsumerErrors"}):
        yield f"{pager.name} pages although nothing is being lost"
    if not pager.fires({"RecommendationsDropped"}):
        yield f"{pager.name} does not page after a loss"


def _points(alarm: Alarm, values: Values) -> Iterator[Point]:
    metrics: dict[str, Metric] = {metric.name: metric for metric in alarm.metrics.values()}
    for name, each in values.items():
        metric = metrics[name]
        for minute, value in enumerate(each if isinstance(each, Sequence) else [each]):
            yield Point((metric.namespace, name, metric.resource), START + minute * MINUTE + 10, value)
