"""When an alarm fires, by CloudWatch's rules: it is evaluated every minute, over the periods that end then.

One that looks back further than a day is evaluated every hour.

See the Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms" and "Using metric math". Missing data is treated
as the alarm says, and a division by zero gives no data.
"""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Final, NamedTuple

from examples.alarms.definition import Alarm, Composite, Metric

Value = float | None  # None means no data


class Point(NamedTuple):
    """A value of a metric at a moment (epoch seconds)."""

    metric: tuple[str, str, str]  # namespace, name, resource
    moment: float
    value: float


_STATISTICS: Final[Mapping[str, Callable[[list[float]], float]]] = {"Sum": sum, "Maximum": max}
_OPERATORS: Final[Mapping[type, Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
}


def minutes_firing(alarm: Alarm, points: Iterable[Point], until: float) -> list[int]:
    """Return the minutes, or hours (epoch seconds of their ends) in which the alarm fires, from the first point on."""
    all_points = list(points)
    if not all_points:
        return []
    step = alarm.interval
    first = int(min(point.moment for point in all_points)) // step * step + step
    value = cache(partial(_value, alarm, all_points))  # periods of several evaluations, if they are an hour apart
    return [moment for moment in range(first, int(until) + 1, step) if _fires(alarm, value, moment)]


def with_composites(firing: Mapping[str, list[int]], composites: Iterable[Composite]) -> dict[str, list[int]]:
    """Return when each alarm fires, with the composites that fire; one does whenever one of its children does.

    `firing` has the minutes (epoch seconds) of each alarm by its name.
    """
    minutes = {each.name: sorted({m for child in each.children for m in firing.get(child, ())}) for each in composites}
    return {**firing, **{name: found for name, found in minutes.items() if found}}


def _fires(alarm: Alarm, value: Callable[[int], Value], moment: int) -> bool:
    values = [value(moment - index * alarm.period) for index in range(alarm.periods)]
    return sum(each is not None and each > alarm.threshold for each in values) >= alarm.datapoints


def _value(alarm: Alarm, points: list[Point], end: int) -> Value:
    first = min(point.moment for point in points)

    def of(name: str) -> Value:
        if name in alarm.metrics:
            return _summed(alarm.metrics[name], points, end - alarm.period, end)
        return calculate(alarm.expressions[name], of, last)

    def last(name: str) -> Value:
        ends = range(end, int(first), -alarm.period)
        values = (_summed(alarm.metrics[name], points, each - alarm.period, each) for each in ends)
        return next((value for value in values if value is not None), None)

    return of(alarm.result)


def _summed(metric: Metric, points: list[Point], start: int, end: int) -> Value:
    key = (metric.namespace, metric.name, metric.resource)
    values = [point.value for point in points if point.metric == key and start <= point.moment < end]
    return _STATISTICS[metric.statistic](values) if values else None


def calculate(expression: str, of: Callable[[str], Value], last: Callable[[str], Value]) -> Value:
    """Return the value of metric math; `of` returns the value of a name, and `last` its latest value, however old.

    Supports numbers, + - * / < >, IF and FILL, which Python's parser accepts. Raises `ValueError` for anything else.
    """
    return _calculate(ast.parse(expression, mode="eval").body, of, last)


def _calculate(node: ast.expr, of: Callable[[str], Value], last: Callable[[str], Value]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return of(name)
        case ast.BinOp(left, operation, right) | ast.Compare(left, [operation], [right]) if (
            type(operation) in _OPERATORS
        ):
            first, second = _calculate(left, of, last), _calculate(right, of, last)
            if first is None or second is None or (isinstance(operation, ast.Div) and second == 0):
                return None
            return float(_OPERATORS[type(operation)](first, second))
        case ast.Call(func=ast.Name(id="IF"), args=[condition, yes, no]):
            return _calculate(yes if _calculate(condition, of, last) else no, of, last)
        case ast.Call(func=ast.Name(id="FILL"), args=[ast.Name(id=series), ast.Name(id="REPEAT")]):
            return last(series)
        case ast.Call(func=ast.Name(id="FILL"), args=[series, otherwise]):
            value = _calculate(series, of, last)
            return _calculate(otherwise, of, last) if value is None else value
    raise ValueError(f"unsupported metric math: {ast.unparse(node)}")
