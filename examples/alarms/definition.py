"""The template's alarms, as CloudWatch receives them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from infra.template import Template

MINUTE: Final = 60  # seconds
HOUR: Final = 3600
_DAY: Final = 24 * HOUR
_RULE: Final = re.compile(r'ALARM\("\$\{\w+\}"\)(?: OR ALARM\("\$\{\w+\}"\))*')


class Metric(NamedTuple):
    """A metric and its statistic. AWS's dimensions are replaced by the resource; ours are not used by any alarm."""

    namespace: str
    name: str
    statistic: str
    resource: str  # the logical ID that its dimension refers to, or empty


@dataclass(frozen=True)
class Alarm:
    """An alarm with an upper threshold. `metrics` and `expressions` (metric math) are by ID.

    `period` is in seconds; the alarm fires if `datapoints` of the last `periods` are above the threshold. `pages` is
    whether it notifies the pager's topic.
    """

    name: str
    metrics: Mapping[str, Metric]
    expressions: Mapping[str, str]
    result: str  # the ID that is compared with the threshold
    period: int
    periods: int
    datapoints: int
    threshold: float
    pages: bool

    @property
    def interval(self) -> int:
        """The seconds between two evaluations: an hour for an alarm that looks back further than a day."""
        return HOUR if self.period * self.periods > _DAY else MINUTE


@dataclass(frozen=True)
class Composite:
    """An alarm that fires as long as one of its children does; these are names of alarms."""

    name: str
    children: frozenset[str]


def read_composites(template: Template) -> list[Composite]:
    """Return the composite alarms of a template. Raises `ValueError` for a rule that is not an OR of alarms."""
    resources = template["Resources"]
    composites = []
    for properties in (each["Properties"] for each in resources.values() if each["Type"].endswith("::CompositeAlarm")):
        rule = properties["AlarmRule"]["Fn::Sub"]
        if _RULE.fullmatch(rule) is None:
            raise ValueError(f"only an OR of alarms can be evaluated, not {rule}")
        children = (resources[name]["Properties"]["AlarmName"] for name in re.findall(r"\w+(?=\})", rule))
        composites.append(Composite(_text(properties["AlarmName"]), frozenset(map(_text, children))))
    return composites


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
        pages="PagerTopicArn" in str(properties["AlarmActions"]),
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
