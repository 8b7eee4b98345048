"""The evaluation of alarms follows CloudWatch's user guide on periods, missing data and metric math."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from examples.alarms import __main__ as demonstration
from examples.alarms.cases import wrong_cases, wrong_composites, wrong_pages
from examples.alarms.definition import Alarm, Composite, Metric, read_alarms, read_composites
from examples.alarms.evaluation import Point, calculate, minutes_firing, with_composites
from examples.alarms.observed import logged_points
from infra.local import StackError
from infra.local.deployment import load_template
from infra.paths import TEMPLATE
from recommendation_consumer.batch_result import BatchResult
from recommendation_consumer.metrics import emit

pytestmark = pytest.mark.one_python

START: Final = 1_800_000_000.0 // 300 * 300  # epoch seconds, the start of a period of five minutes
FAILED: Final = ("OPX/Recommendations", "RecommendationPersistenceFailure", "")
PERSISTED: Final = ("OPX/Recommendations", "RecommendationsPersisted", "")
THROTTLED: Final = ("OPX/Recommendations", "RecommendationPersistenceThrottled", "")


@pytest.fixture(scope="module")
def alarms() -> dict[str, Alarm]:
    """The template's alarms by name."""
    return {alarm.name: alarm for alarm in read_alarms(load_template(TEMPLATE, {}))}


def _firing(alarm: Alarm, *points: Point) -> list[int]:
    """Return the minutes after `START` in which the alarm fires, within half an hour."""
    return [round(minute - START) // 60 for minute in minutes_firing(alarm, points, START + 1800)]


def test_each_alarm_fires_for_its_cause_and_not_for_its_near_miss() -> None:
    """`make alarms` prints these cases. An alarm without one fails here."""
    template = load_template(TEMPLATE, {})
    definitions = read_alarms(template)
    assert not list(wrong_cases(definitions))
    assert not list(wrong_pages(definitions))


def test_a_changed_threshold_is_noticed() -> None:
    """In either direction; so is an alarm that has no case."""
    template = load_template(TEMPLATE, {})
    throttling = template["Resources"]["ThrottlingAlarm"]["Properties"]
    for threshold, sentence in ((9, "fires after 10 throttled"), (11, "does not fire after more than 10 throttled")):
        throttling["Threshold"] = threshold
        (found,) = wrong_cases(read_alarms(template))
        assert sentence in found
    throttling |= {"Threshold": 10, "AlarmName": {"Fn::Sub": "Other${NameSuffix}"}}
    with pytest.raises(KeyError, match="PersistentRecommendationThrottling"):
        list(wrong_cases(read_alarms(template)))


def test_an_alarm_that_pages_for_a_ticket_or_not_for_a_loss_is_noticed() -> None:
    """Nobody should be woken although nothing is being lost, or sleep although something is."""
    template = load_template(TEMPLATE, {})
    loss, ticket = (template["Resources"][name]["Properties"] for name in ("DroppedAlarm", "DeadLetterAlarm"))
    loss["AlarmActions"], ticket["AlarmActions"] = ticket["AlarmActions"], loss["AlarmActions"]
    assert list(wrong_pages(read_alarms(template))) == [
        "RecommendationDeadLetterQueueNotEmpty pages although nothing is being lost",
        "RecommendationsDropped does not page",
    ]


def test_the_composite_fires_for_losses_and_for_nothing_else() -> None:
    """`make alarms` says so. A rule that leaves out a loss, names a ticket or is not an OR fails here."""
    template = load_template(TEMPLATE, {})
    alarms, (composite,) = read_alarms(template), read_composites(template)
    assert composite.name == "RecommendationsBeingLost"
    assert not list(wrong_composites(alarms, [composite]))
    properties = template["Resources"]["LossAlarm"]["Properties"]
    rule = properties["AlarmRule"]["Fn::Sub"]
    properties["AlarmRule"] = {"Fn::Sub": rule.replace("KeeperFailedAlarm", "ThrottlingAlarm")}
    assert [
        problem.removeprefix(composite.name) for problem in wrong_composites(alarms, read_composites(template))
    ] == [
        " fires after more than 10 throttled requests (PersistentRecommendationThrottling)",
        " does not fire after one change that the keeper gave up on (RecommendationKeeperFailed)",
    ]
    properties["AlarmRule"] = {"Fn::Sub": f"NOT {rule}"}
    with pytest.raises(ValueError, match="only an OR of alarms"):
        read_composites(template)


def test_a_composite_fires_for_as_long_as_one_of_its_children() -> None:
    """It pages once while they overlap, and is not there while none fires."""
    composite = Composite("all", frozenset({"first", "second"}))
    firing = {"first": [60, 120], "second": [120, 180], "ticket": [600]}
    assert with_composites(firing, [composite]) == {**firing, "all": [60, 120, 180]}
    assert with_composites({"ticket": [600]}, [composite]) == {"ticket": [600]}


def _counted(emitted: str, *names: str) -> list[Point]:
    """Return the points of these metrics, without dimensions, in what a function has printed."""
    return [point for point in logged_points(emitted.splitlines()) if point.metric[1] in names]


def test_what_expired_fires_the_alarm_on_drops(alarms: dict[str, Alarm], capsys: pytest.CaptureFixture[str]) -> None:
    """The consumer counts it for that alarm too, because another alarm would watch, and bill, another metric."""
    emit(BatchResult(expired=1), START, namespace="OPX/Recommendations", incident_metrics="none")
    assert _firing(alarms["RecommendationsDropped"], *_counted(capsys.readouterr().out, "RecommendationsDropped"))


def test_a_look_at_what_the_keeper_gave_up_on_does_not_end_its_alarm(alarms: dict[str, Alarm]) -> None:
    """A message is invisible for 30 seconds then, and the maximum of five minutes includes the minutes around it."""
    metric = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "KeeperFailureQueue")
    points = [Point(metric, START + 60 * minute + 10, minute % 2) for minute in range(25)]
    assert _firing(alarms["RecommendationKeeperFailed"], *points) == list(range(2, 29))


def test_an_alarm_that_looks_back_further_than_a_day_is_evaluated_every_hour(alarms: dict[str, Alarm]) -> None:
    """It looks at whole hours. One without data is like the one before; one without a dead letter interrupts."""
    expiring = alarms["RecommendationDeadLettersExpiring"]
    metric = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "DeadLetterQueue")
    start = START // 3600 * 3600
    points = [Point(metric, start + 3600 * hour + 1800, 1) for hour in range(121)]
    emptied = Point(metric, start + 3600 * 121 + 1800, 0)
    firing = [start + 3600 * hour for hour in (120, 121)]
    assert minutes_firing(expiring, [*points, emptied], start + 200 * 3600) == firing
    assert minutes_firing(expiring, [*points[:60], *points[70:], emptied], start + 200 * 3600) == firing
    points[60] = points[60]._replace(value=0)
    assert not minutes_firing(expiring, [*points, emptied], start + 200 * 3600)


def test_an_alarm_fires_while_its_period_includes_the_point(alarms: dict[str, Alarm]) -> None:
    """It is evaluated every minute: minutes 1 to 5, then 2 to 6, and so on."""
    throttling = alarms["PersistentRecommendationThrottling"]
    assert _firing(throttling, Point(THROTTLED, START + 10, 11)) == [1, 2, 3, 4, 5]
    assert _firing(throttling, Point(THROTTLED, START + 10, 10)) == []


def test_values_of_a_period_are_summed(alarms: dict[str, Alarm]) -> None:
    """Six and five add up to eleven only while both are within five minutes."""
    points = [Point(THROTTLED, START + 10, 6), Point(THROTTLED, START + 190, 5)]
    assert _firing(alarms["PersistentRecommendationThrottling"], *points) == [4, 5]


def test_one_of_two_periods_suffices_for_the_failure_rate(alarms: dict[str, Alarm]) -> None:
    """The alarm therefore fires for ten minutes after the last failure."""
    rate = alarms["HighRecommendationPersistenceFailureRate"]
    failed, persisted = Point(FAILED, START + 10, 3), Point(PERSISTED, START + 10, 57)
    assert _firing(rate, failed, persisted) == []  # 5 % is not more than 5 %
    assert _firing(rate, failed, persisted._replace(value=56)) == list(range(1, 11))
    assert _firing(rate, failed) == list(range(1, 11))
    assert _firing(rate, persisted) == []


def test_no_data_is_not_breaching(alarms: dict[str, Alarm]) -> None:
    """A system that nobody uses is healthy."""
    assert {name for name, alarm in alarms.items() if _firing(alarm)} == set()


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3 - 4", 3.0),
        ("7 / 0", None),
        ("missing + 1", None),
        ("FILL(missing, 5) / 2", 2.5),
        ("IF(two > 1, 10, 20)", 10.0),
        ("IF(two < 1, 10, 7 / 2)", 3.5),
        ("FILL(missing, REPEAT) + 1", 8.0),
    ],
)
def test_metric_math(expression: str, value: float | None) -> None:
    """Missing data gives no data, except through FILL."""
    assert calculate(expression, {"two": 2.0, "missing": None}.__getitem__, {"missing": 7.0}.__getitem__) == value


@pytest.mark.parametrize("expression", ["SEARCH('x', 'Sum', 300)", "a if b else c", "not 1", "'text'", "2 ** 3"])
def test_unsupported_metric_math_is_refused(expression: str) -> None:
    """It is not evaluated to something else than CloudWatch would."""
    with pytest.raises(ValueError, match="unsupported metric math"):
        calculate(expression, lambda _: 1.0, lambda _: 1.0)


def test_an_unsupported_alarm_is_refused() -> None:
    """The template may get one in the future."""
    template = load_template(TEMPLATE, {})
    template["Resources"]["ThrottlingAlarm"]["Properties"]["TreatMissingData"] = "breaching"
    with pytest.raises(ValueError, match="PersistentRecommendationThrottling: only"):
        read_alarms(template)


def test_the_templates_dimensions_name_resources(alarms: dict[str, Alarm]) -> None:
    """That is how points of the local queues and function are matched with their alarm."""
    depth, _ = alarms["RecommendationDeadLetterQueueNotEmpty"].metrics.values()
    assert depth == Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", "DeadLetterQueue")
    (errors,) = alarms["RecommendationConsumerErrors"].metrics.values()
    assert errors == Metric("AWS/Lambda", "Errors", "Sum", "Consumer")


def test_only_metrics_without_dimensions_are_read_from_a_log() -> None:
    """Everything else in a log is ignored."""
    emf = (
        '{"_aws":{"Timestamp":1800000000000,"CloudWatchMetrics":'
        '[{"Namespace":"N","Dimensions":%s,"Metrics":[{"Name":"M"}]}]},"M":%s}'
    )
    lines = ["START RequestId", emf % ('[[],["A"]]', "[1,2]"), emf % ('[["A"]]', "4"), '{"level":"INFO"}']
    points = list(logged_points(lines))
    assert points == [Point(("N", "M", ""), 1_800_000_000, value) for value in (1, 2)]


def test_failed_invocations_are_counted() -> None:
    """They are read from the emulator's log; AWS has a metric."""
    line = "2026-01-31 12:00:00 WARNING [lambda] ESM: Lambda opx failed processing SQS batch from opx (errorType=X)"
    ((metric, _, value),) = logged_points([line])
    assert (metric, value) == (("AWS/Lambda", "Errors", "Consumer"), 1)


def test_a_scenario_that_does_not_end_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its messages would keep failing during the next one, whose alarms would be wrong."""
    (tmp_path / "log").touch()
    attributes = {"ApproximateNumberOfMessages": "7", "ApproximateNumberOfMessagesNotVisible": "0"}
    sqs = SimpleNamespace(purge_queue=lambda **_: None, get_queue_attributes=lambda **_: {"Attributes": attributes})
    stack: Any = SimpleNamespace(log_path=tmp_path / "log", dlq_url="", queue_url="", client=lambda _: sqs)
    table: Any = None  # the scenario does nothing to it
    monkeypatch.setattr(demonstration, "WAIT", 0.0)
    with pytest.raises(StackError, match="The queue is not empty after 0 s: Nothing at all"):
        demonstration.play(stack, table, _nothing)


def _nothing(*_: object) -> None:
    """Nothing at all."""
