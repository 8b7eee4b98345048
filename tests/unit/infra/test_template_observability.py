"""Alarms and dashboard: they watch metrics that exist, and every metric is watched."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.paths import ROOT
from infra.synthesis.synthesize import EVERY_OPTION, synthesize
from recommendation_consumer.deadlines import deadlines
from recommendation_shared import metrics

pytestmark = pytest.mark.one_python

OURS = {
    value
    for name, value in vars(metrics).items()
    if name.isupper()
    and not name.startswith("_")
    and name not in ("NAMESPACE", "AGENT_TYPE", "INCIDENT_ID", "ERROR_TYPE", "REASON")
    and isinstance(value, str)
} - metrics.LOGGED
DIMENSIONS = {metrics.AGENT_TYPE, metrics.INCIDENT_ID, metrics.ERROR_TYPE, metrics.REASON}
# From AWS's documentation of each service's metrics, by namespace and dimensions.
AWS_METRICS: dict[tuple[str, ...], set[str]] = {
    ("AWS/SQS", "QueueName"): {
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateAgeOfOldestMessage",
        "NumberOfMessagesSent",
    },
    ("AWS/Lambda", "FunctionName"): {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"},
    ("AWS/DynamoDB", "TableName"): {
        "ConsumedReadCapacityUnits",
        "ConsumedWriteCapacityUnits",
        "ReadThrottleEvents",
        "WriteThrottleEvents",
    },
}
AWS_METRICS["AWS/DynamoDB", "TableName", "GlobalSecondaryIndexName"] = AWS_METRICS["AWS/DynamoDB", "TableName"]
SEARCH = re.compile(
    r"SEARCH\('\{(?P<namespace>[^,}]+),(?P<dimension>\w+)\} MetricName=\"(?P<name>\w+)\"', 'Sum', 300\)"
    r"|SELECT SUM\((?P<summed>\w+)\) FROM \"(?P<from>[^\"]+)\" GROUP BY (?P<by>\w+)"
)

Metric = tuple[str, str, tuple[str, ...], tuple[str, ...]]  # namespace, name, names and values of dimensions


def alarms(parameters: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Return each alarm's properties by its name."""
    return {
        resource["Properties"]["AlarmName"]: resource["Properties"]
        for resource in synthesize(parameters)["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def watched(alarm: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield the metrics of an alarm, including those of its expression."""
    nested = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    for metric in nested or [alarm]:
        dimensions = metric.get("Dimensions", ())
        names = tuple(dimension["Name"] for dimension in dimensions)
        yield metric["Namespace"], metric["MetricName"], names, tuple(dimension["Value"] for dimension in dimensions)


def widgets(parameters: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the widgets of the dashboard, which only production has."""
    body = synthesize({"AlarmEmail": "on-call@example.com", **parameters, "Stage": "prod"})["Resources"]["Dashboard"][
        "Properties"
    ]["DashboardBody"]
    result: list[dict[str, Any]] = json.loads(body)["widgets"]
    return result


def graphed(parameters: Mapping[str, str]) -> Iterator[Metric]:
    """Yield every metric that the dashboard draws; an expression yields a dimension without a value."""
    for widget in widgets(parameters):
        previous: list[str] = []
        for row in widget["properties"].get("metrics", ()):
            options = row[-1] if isinstance(row[-1], dict) else {}
            if "expression" in options:
                query = SEARCH.fullmatch(options["expression"])
                assert query, options
                found = query["namespace"] or query["from"], query["name"] or query["summed"]
                yield *found, (query["dimension"] or query["by"],), ()
            else:
                cells = [cell for cell in row if isinstance(cell, str)]
                # A dot stands for the cell above it.
                previous = [previous[index] if cell == "." else cell for index, cell in enumerate(cells)]
                namespace, name, *dimensions = previous
                yield namespace, name, tuple(dimensions[::2]), tuple(dimensions[1::2])


def exists(metric: Metric) -> bool:
    """Return whether this metric is emitted with these dimensions."""
    namespace, name, dimensions, _ = metric
    if namespace.startswith("OPX/"):
        return name in OURS and set(dimensions) <= DIMENSIONS
    return name in AWS_METRICS.get((namespace, *dimensions), ())


def test_everything_that_needs_a_person_has_an_alarm() -> None:
    """The runbook and other tools depend on the names."""
    assert {name.removesuffix("-two") for name in alarms({"NameSuffix": "-two"})} == {
        "HighRecommendationPersistenceFailureRate",
        "PersistentRecommendationThrottling",
        "RecommendationDeadLetterQueueNotEmpty",
        "RecommendationDeadLettersExpiring",
        "RecommendationQueueNearRetention",
        "RecommendationsNotPersisted",
        "RecommendationConsumerErrors",
        "RecommendationConsumerNearTimeout",
        "RecommendationConsumerThrottled",
        "RecommendationsDropped",
        "RecommendationAltered",
        "RecommendationKeeperFailed",
    }


def test_only_alarms_on_losses_notify_the_pager() -> None:
    """Something is lost already, or will be within two days; all others are for a ticket, on the other topic."""
    pager = "arn:aws:sns:us-east-1:123456789012:pager"
    paging = {name for name, alarm in alarms({"PagerTopicArn": pager}).items() if alarm["AlarmActions"] == [pager]}
    assert paging == {
        "RecommendationsDropped",
        "RecommendationQueueNearRetention",
        "RecommendationDeadLettersExpiring",
        "RecommendationKeeperFailed",
    }


def test_what_is_gone_has_no_all_clear() -> None:
    """The count of losses returns to zero although nothing was recovered, and a message saying OK would mislead."""
    silent = {name for name, alarm in alarms().items() if "OKActions" not in alarm}
    assert silent == {
        "RecommendationsDropped",
        "RecommendationAltered",
    }


def test_ages_leave_two_days_before_sqs_deletes() -> None:
    """A dead letter keeps the age it had in the queue, so its alarm counts the days for which there have been any."""
    resources = synthesize({})["Resources"]
    queue, dead = (resources[name]["Properties"]["MessageRetentionPeriod"] for name in ("Queue", "DeadLetterQueue"))
    two_days = 2 * 24 * 3600
    assert queue - alarms()["RecommendationQueueNearRetention"]["Threshold"] == two_days
    expiring = alarms()["RecommendationDeadLettersExpiring"]
    (period,) = [query["MetricStat"]["Period"] for query in expiring["Metrics"] if "MetricStat" in query]
    looks_back = period * expiring["EvaluationPeriods"]
    assert dead - queue - looks_back == two_days
    assert looks_back <= 7 * 24 * 3600  # CloudWatch's limit, for periods of at least an hour


def test_near_timeout_is_when_the_consumer_stops_writing() -> None:
    """Its last three seconds are for dead letters and the response."""
    timeout = synthesize({})["Resources"]["Consumer"]["Properties"]["Timeout"]
    assert alarms()["RecommendationConsumerNearTimeout"]["Threshold"] == deadlines(0, timeout * 1000).write * 1000


@pytest.mark.parametrize("name", sorted(alarms()))
def test_alarm_watches_existing_metrics_and_stays_silent_without_traffic(name: str) -> None:
    """An alarm on a misspelt metric never fires, and nobody trusts one that fires at night because nothing happens."""
    alarm = alarms()[name]
    metrics_of_alarm = list(watched(alarm))
    assert metrics_of_alarm
    assert all(map(exists, metrics_of_alarm))
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["AlarmDescription"].endswith(f" See docs/runbook.md#{name.lower()}.")
    assert f"\n## {name}\n" in (ROOT / "docs" / "runbook.md").read_text()
    for namespace, _, dimensions, _ in metrics_of_alarm:
        assert namespace.startswith("AWS/") or not dimensions  # the totals, not those of a single reason or agent


def test_alarms_watch_this_stacks_own_queue_and_function() -> None:
    """Another stage may be deployed in the same account."""
    suffixed = alarms({"NameSuffix": "-two"}).values()
    values = {value for alarm in suffixed for *_, dimension_values in watched(alarm) for value in dimension_values}
    names = {"", "-dlq", "-consumer", "-keeper-failures"}
    assert values == {f"opx-recommendations-two{name}" for name in names}


@pytest.mark.parametrize(("suffix", "namespace"), [("", "OPX/Recommendations"), ("-dev", "OPX/Recommendations-dev")])
def test_alarms_dashboard_and_functions_of_a_stage_share_its_own_namespace(suffix: str, namespace: str) -> None:
    """Otherwise a load test in dev hides that every write in production fails."""
    parameters = {"NameSuffix": suffix}
    resources = synthesize(parameters)["Resources"]
    watched_by_alarms = {space for alarm in alarms(parameters).values() for space, *_ in watched(alarm)}
    drawn = {space for space, *_ in graphed(parameters)}
    assert {space for space in watched_by_alarms | drawn if not space.startswith("AWS/")} == {namespace}
    environments = [
        resource["Properties"]["Environment"]["Variables"]
        for resource in resources.values()
        if resource["Type"] in ("AWS::Serverless::Function", "AWS::Lambda::Function")
    ]
    assert environments
    assert {variables["RECOMMENDATIONS_METRICS_NAMESPACE"] for variables in environments} == {namespace}
    queue_url = f"https://sqs.eu-west-1.amazonaws.com/123456789012/{resources['Queue']['Properties']['QueueName']}"
    assert metrics.namespace_of(queue_url) == namespace  # the executor's


def test_failure_rate_is_a_percentage_over_five_minutes() -> None:
    """It fires above 5 %, computed from the metrics that the consumer emits."""
    alarm = alarms()["HighRecommendationPersistenceFailureRate"]
    assert {name for _, name, *_ in watched(alarm)} == {metrics.PERSISTED, metrics.PERSISTENCE_FAILURE}
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (5, "GreaterThanThreshold")
    assert {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query} == {300}
    (returned,) = [query for query in alarm["Metrics"] if query["ReturnData"]]
    rate = "100 * FILL(failed, 0) / (FILL(failed, 0) + FILL(persisted, 0))"
    assert returned["Expression"] == f"IF(FILL(failed, 0) > 2, {rate}, 0)"  # at least three


def test_throttling_alarm_means_more_than_ten_in_five_minutes() -> None:
    """The threshold is part of the requirements."""
    alarm = alarms()["PersistentRecommendationThrottling"]
    assert (alarm["Threshold"], alarm["ComparisonOperator"], alarm["Period"]) == (10, "GreaterThanThreshold", 300)


def test_dashboard_draws_only_metrics_that_exist() -> None:
    """Ours are checked against the shared names and dimensions, AWS's against the documentation."""
    drawn_metrics = list(graphed(EVERY_OPTION))
    assert not [metric for metric in drawn_metrics if not exists(metric)]


def test_dashboard_draws_every_metric() -> None:
    """A metric that nobody sees only costs money."""
    drawn_metrics = list(graphed({}))
    assert {name for namespace, name, *_ in drawn_metrics if namespace == metrics.NAMESPACE} == OURS
    # An account's first three dashboards are free while they draw at most 50 metrics; an expression draws several.
    assert len(drawn_metrics) <= 40
    drawn: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for namespace, name, dimensions, _ in drawn_metrics:
        drawn[namespace, *dimensions].add(name)
    for where in (("AWS/SQS", "QueueName"), ("AWS/Lambda", "FunctionName"), ("AWS/DynamoDB", "TableName")):
        assert drawn[where] == AWS_METRICS[where]
    indexes = {values[1] for _, _, dimensions, values in drawn_metrics if "GlobalSecondaryIndexName" in dimensions}
    assert indexes == {f"{key}-timestamp-index" for key in ("incidentId", "agentType", "executionId")}


def test_dashboard_shows_this_stacks_resources_and_alarms() -> None:
    """Another stage may be deployed in the same account."""
    values = {value for *_, values in graphed({"NameSuffix": "-two"}) for value in values if "-index" not in value}
    assert values == {
        "opx-recommendations-two",
        "opx-recommendations-two-dlq",
        "opx-recommendations-two-consumer",
        "opx-agent-recommendations-two",
    }
    (shown,) = [
        widget["properties"]["alarms"] for widget in widgets({"NameSuffix": "-two"}) if widget["type"] == "alarm"
    ]
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
    assert sorted(shown) == sorted(arn + name for name in alarms({"NameSuffix": "-two"}))


def test_dashboards_widgets_fit_their_grid() -> None:
    """The grid has 24 columns, no widgets overlap, and every expression has its own ID."""
    taken: set[tuple[int, int]] = set()
    for widget in widgets({}):
        x, y, width, height = (widget[name] for name in ("x", "y", "width", "height"))
        cells = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
        assert x + width <= 24
        assert not cells & taken
        taken |= cells
        rows = widget["properties"].get("metrics", ())
        ids = [row[-1]["id"] for row in rows if isinstance(row[-1], dict) and "id" in row[-1]]
        assert len(ids) == len(set(ids))
        assert all(re.fullmatch(r"[a-z]\w*", each) for each in ids)
