"""The template's alarms, as CloudWatch gets them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from infra.local.differences import Template

MINUTE: Final = 60  # seconds


class Metric(NamedTuple):
    """A metric without dimensions of ours (they stand for one queue or function here), and how it is summed up."""

    namespace: str
    name: str
    statistic: str
    resource: str  # the logical ID that its dimension refers to, or nothing


@dataclass(frozen=True)
class Alarm:
    """One alarm above a threshold. `expressions` has the metric math by ID, or one metric as `only`.

    `period` is in seconds; `least` of the last `periods` must be above the threshold.
    """

    name: str
    metrics: Mapping[str, Metric]
    expressions: Mapping[str, str]
    result: str  # the ID that is compared
    period: int
    periods: int
    least: int
    threshold: float


def read_alarms(template: Template) -> list[Alarm]:
    """Return the alarms of a template. Raises `ValueError` for what this cannot evaluate, rather than guess."""
    resources = template["Resources"].values()
    return [_alarm(one["Properties"]) for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]


def _alarm(properties: Mapping[str, Any]) -> Alarm:
    name = properties["AlarmName"]["Fn::Sub"].replace("${NameSuffix}", "")
    if (properties["ComparisonOperator"], properties["TreatMissingData"]) != ("GreaterThanThreshold", "notBreaching"):
        raise ValueError(f"{name}: only GreaterThanThreshold with missing data notBreaching can be evaluated")
    queries = properties.get("Metrics") or [{"Id": "only", "ReturnData": True, "MetricStat": _one(properties)}]
    stats = {query["Id"]: query["MetricStat"] for query in queries if "MetricStat" in query}
    (period,) = {stat["Period"] for stat in stats.values()}
    (result,) = (query["Id"] for query in queries if query["ReturnData"])
    return Alarm(
        name=name,
        metrics={key: _metric(stat) for key, stat in stats.items()},
        expressions={query["Id"]: query["Expression"] for query in queries if "Expression" in query},
        result=result,
        period=period,
        periods=properties["EvaluationPeriods"],
        least=properties.get("DatapointsToAlarm", properties["EvaluationPeriods"]),
        threshold=properties["Threshold"],
    )


def _one(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"Metric": properties, "Period": properties["Period"], "Stat": properties["Statistic"]}


def _metric(stat: Mapping[str, Any]) -> Metric:
    metric = stat["Metric"]
    values = [dimension["Value"] for dimension in metric.get("Dimensions", [])]
    resources = [value.get("Ref") or value["Fn::GetAtt"][0] for value in values]
    return Metric(metric["Namespace"], metric["MetricName"], stat["Stat"], "".join(resources))
