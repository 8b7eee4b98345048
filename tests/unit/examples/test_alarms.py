"""The evaluation of alarms, against what CloudWatch's user guide says of periods, missing data and metric math."""

from typing import Final

import pytest

from examples.alarms.definition import Alarm, Metric, read_alarms
from examples.alarms.evaluation import Point, calculate, minutes_up
from examples.alarms.observed import logged_points
from infra.local.deployment import load_template
from infra.paths import ROOT

START: Final = 1_800_000_000.0 // 300 * 300  # epoch seconds, a full five minutes
FAILED: Final = ("OPX/Recommendations", "RecommendationPersistenceFailure", "")
PERSISTED: Final = ("OPX/Recommendations", "RecommendationsPersisted", "")
THROTTLED: Final = ("OPX/Recommendations", "RecommendationPersistenceThrottled", "")


@pytest.fixture(scope="module")
def alarms() -> dict[str, Alarm]:
    """The template's."""
    return {alarm.name: alarm for alarm in read_alarms(load_template(ROOT / "infra" / "template.yaml", {}))}


def _up(alarm: Alarm, *points: Point) -> list[int]:
    """Return the minutes after `START` at which the alarm is up, of the next half hour."""
    return [round(minute - START) // 60 for minute in minutes_up(alarm, points, START + 1800)]


def test_an_alarm_is_up_for_as_long_as_its_period_holds_the_point(alarms: dict[str, Alarm]) -> None:
    """Looked at every minute: minutes 1 to 5, then 2 to 6, and so on."""
    throttling = alarms["PersistentRecommendationThrottling"]
    assert _up(throttling, Point(THROTTLED, START + 10, 11)) == [1, 2, 3, 4, 5]
    assert _up(throttling, Point(THROTTLED, START + 10, 10)) == []


def test_values_of_a_period_are_summed(alarms: dict[str, Alarm]) -> None:
    """Six and five make eleven only while both are within five minutes."""
    points = [Point(THROTTLED, START + 10, 6), Point(THROTTLED, START + 190, 5)]
    assert _up(alarms["PersistentRecommendationThrottling"], *points) == [4, 5]


def test_one_of_two_periods_is_enough_for_the_failure_rate(alarms: dict[str, Alarm]) -> None:
    """So it outlasts the last failure by ten minutes."""
    rate = alarms["HighRecommendationPersistenceFailureRate"]
    failed, persisted = Point(FAILED, START + 10, 1), Point(PERSISTED, START + 10, 19)
    assert _up(rate, failed, persisted) == []  # 5 % is not more than 5 %
    assert _up(rate, failed, persisted._replace(value=18)) == list(range(1, 11))
    assert _up(rate, failed) == list(range(1, 11))
    assert _up(rate, persisted) == []


def test_no_data_is_not_breaching(alarms: dict[str, Alarm]) -> None:
    """A system that nobody uses is well."""
    assert {name for name, alarm in alarms.items() if _up(alarm)} == set()


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3 - 4", 3.0),
        ("7 / 0", None),
        ("missing + 1", None),
        ("FILL(missing, 5) / 2", 2.5),
        ("IF(two > 1, 10, 20)", 10.0),
        ("IF(two < 1, 10, 7 / 2)", 3.5),
    ],
)
def test_metric_math(expression: str, value: float | None) -> None:
    """Where there is no data, nothing comes of it."""
    assert calculate(expression, {"two": 2.0, "missing": None}.__getitem__) == value


@pytest.mark.parametrize("expression", ["SEARCH('x', 'Sum', 300)", "a if b else c", "not 1", "'text'", "2 ** 3"])
def test_unknown_metric_math_is_refused(expression: str) -> None:
    """Rather than evaluated to something that CloudWatch would not."""
    with pytest.raises(ValueError, match="not known here"):
        calculate(expression, lambda _: 1.0)


def test_an_alarm_of_another_kind_is_refused() -> None:
    """The template may come to have one."""
    template = load_template(ROOT / "infra" / "template.yaml", {})
    template["Resources"]["ThrottlingAlarm"]["Properties"]["TreatMissingData"] = "breaching"
    with pytest.raises(ValueError, match="PersistentRecommendationThrottling: only"):
        read_alarms(template)


def test_the_template_s_dimensions_name_resources(alarms: dict[str, Alarm]) -> None:
    """Which is how points of the local queues and function find their alarm."""
    (depth,) = alarms["RecommendationDeadLetterQueueNotEmpty"].metrics.values()
    assert depth == Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", "DeadLetterQueue")
    (errors,) = alarms["RecommendationConsumerErrors"].metrics.values()
    assert errors == Metric("AWS/Lambda", "Errors", "Sum", "Consumer")


def test_only_sums_without_dimensions_are_read_from_a_log() -> None:
    """As in the consumer's lines; everything else in a log is passed over."""
    emf = (
        '{"_aws":{"Timestamp":1800000000000,"CloudWatchMetrics":'
        '[{"Namespace":"N","Dimensions":%s,"Metrics":[{"Name":"M"}]}]},"M":%s}'
    )
    lines = ["START RequestId", emf % ('[[],["A"]]', "[1,2]"), emf % ('[["A"]]', "4"), '{"level":"INFO"}']
    points = list(logged_points(lines))
    assert points == [Point(("N", "M", ""), 1_800_000_000, value) for value in (1, 2)]


def test_failed_invocations_are_counted() -> None:
    """From the emulator's log, where AWS has a metric."""
    line = "2026-01-31 12:00:00 WARNING [lambda] ESM: Lambda opx failed processing SQS batch from opx (errorType=X)"
    ((metric, _, value),) = logged_points([line])
    assert (metric, value) == (("AWS/Lambda", "Errors", "Consumer"), 1)
