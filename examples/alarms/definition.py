"""The template's alarms, as CloudWatch receives them."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from infra.template import Template

MINUTE: Final = 60  # seconds


class Metric(NamedTuple):
    """A metric and its statistic. AWS's dimensions are replaced by the resource; ours are not used by any alarm."""

    namespace: str
    name: str
    statistic: str
    resource: str  # the logical ID that its dimension refers to, or empty


@dataclass(frozen=True)
class Alarm:
    """An alarm with an upper threshold. `metrics` and `expressions` (metric math) are by ID.

    `period` is in seconds; the alarm fires if `datapoints` of the last `periods` are above the threshold.
    """

    name: str
    metrics: Mapping[str, Metric]
    expressions: Mapping[str, str]
    result: str  # the ID that is compared with the threshold
    period: int
    periods: int
    datapoints: int
    threshold: float


@dataclass(frozen=True)
class Pager:
    """The composite alarm, which fires while any of `alarms` does."""

    name: str
    alarms: frozenset[str]

    def fires(self, firing: Collection[str]) -> bool:
        """Return whether it fires while these alarms do."""
        return not self.alarms.isdisjoint(firing)


def read_pager(template: Template) -> Pager:
    """Return the template's composite alarm. Raises `ValueError` if its rule is more than alternatives."""
    resources = template["Resources"]
    (properties,) = (
        each["Properties"] for each in resources.values() if each["Type"] == "AWS::CloudWatch::CompositeAlarm"
    )
    rule = properties["AlarmRule"]["Fn::Sub"]
    if re.fullmatch(r'ALARM\("\$\{\w+\}"\)( OR ALARM\("\$\{\w+\}"\))*', rule) is None:
        raise ValueError(f"only alternatives can be evaluated, not {rule}")
    logical = re.findall(r"\$\{(\w+)\}", rule)
    names = frozenset(_text(resources[each]["Properties"]["AlarmName"]) for each in logical)
    return Pager(_text(properties["AlarmName"]), names)


def read_alarms(template: Template) -> list[Alarm]:
    """Return the alarms of a template. Raises `ValueError` for an alarm that cannot be evaluated here."""
    resources = template["Resources"].values()
    return [_alarm(each["Properties"]) for each in resources if each["Type"] == "AWS::CloudWatch::Alarm"]


def _alarm(properties: Mapping[str, Any]) -> Alarm:
    name = _text(properties["AlarmName"])
    if (properties["ComparisonOperator"], properties["TreatMissingData"]) != ("GreaterThanThreshold", "notBreaching"):
        raise ValueError(f"{name}: only GreaterThanThreshold with missing data notBreaching can be evaluated")
    queries = properties.get("Metrics") or [
        {"Id": "metric", "ReturnData": True, "MetricStat": _metric_stat(properties)}
    ]
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
        datapoints=properties.get("DatapointsToAlarm", properties["EvaluationPeriods"]),
        threshold=properties["Threshold"],
    )


def _metric_stat(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"Metric": properties, "Period": properties["Period"], "Stat": properties["Statistic"]}


def _metric(stat: Mapping[str, Any]) -> Metric:
    metric = stat["Metric"]
    values = [dimension["Value"] for dimension in metric.get("Dimensions", [])]
    resources = [value.get("Ref") or value["Fn::GetAtt"][0] for value in values]
    return Metric(_text(metric["Namespace"]), metric["MetricName"], stat["Stat"], "".join(resources))


def _text(value: str | Mapping[str, str]) -> str:
    """Return a name of production, which has no suffix."""
    return value if isinstance(value, str) else value["Fn::Sub"].replace("${NameSuffix}", "")
