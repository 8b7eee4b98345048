"""The charts of the report: inline SVG without styles or scripts in it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from recommendation_cli.report.markup import Html, element
from recommendation_cli.timeline.executions import Execution, Moment
from recommendation_shared.envelope.vocabulary import CONSENSUS

_WIDTH: Final = 400  # units; about as wide as a phone, so that text keeps its size there
_LABEL: Final = 18
_BAR: Final = 12
_SPACE: Final = 8
_LINE: Final = 22
_VALUE: Final = 44  # units for the number, to the right of the longest bar
_MOST_NAME: Final = 48  # characters; more do not fit


def bar(moment: Moment, span: tuple[datetime, datetime] | None) -> Html:
    """Return when an agent worked within an execution, as a strip that fills its cell."""
    if span is None or moment.completed is None:
        return element("span", "unknown", class_="dim")
    length = span[1] - span[0] or timedelta(microseconds=1)
    last = (moment.completed - span[0]) / length * 100
    first = last - 1 if moment.started is None else (moment.started - span[0]) / length * 100
    kind = "failed" if moment.failed else "point" if moment.started is None else "worked"
    return strip(
        element(
            "rect",
            x=round(max(0.0, min(first, 99)), 2),
            y=0,
            width=round(max(1.0, last - first), 2),
            height=10,
            class_=kind,
        )
    )


def strip(*drawn: Html) -> Html:
    """Return what is drawn, 100 units wide and 10 high, on an axis that is as wide as its cell."""
    return element(
        "svg",
        element("rect", x=0, y=4, width=100, height=2, class_="axis"),
        *drawn,
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        class_="strip",
        aria_hidden="true",
    )


def confidence_chart(executions: Sequence[Execution]) -> Html:
    """Return each agent's confidence as one bar per execution, in order of time."""
    agents: dict[str, list[tuple[int, Moment]]] = {}
    for number, execution in enumerate(executions, 1):
        for moment in execution.moments:
            agents.setdefault(moment.summary.agent_type, []).append((number, moment))
    drawn: list[Html] = []
    y = 0
    for agent in sorted(agents, key=lambda name: (name == CONSENSUS, name)):
        y += _LABEL
        drawn.append(element("text", agent[:_MOST_NAME], x=0, y=y - 5, class_="label"))
        for number, moment in agents[agent]:
            drawn += _confidence(moment, y, f"#{number} " if len(executions) > 1 else "")
            y += _BAR + 3
        y += _SPACE
    title = element("title", "Confidence of each agent, from 0 to 1")
    return element("svg", title, *drawn, viewBox=f"0 0 {_WIDTH} {max(y, 1)}", class_="chart", role="img")


def _confidence(moment: Moment, y: int, prefix: str) -> list[Html]:
    confidence = moment.summary.confidence
    most = _WIDTH - _VALUE - 26
    text = ("odd" if moment.summary.odd_confidence else "none") if confidence is None else f"{confidence:.2f}"
    return [
        element("text", prefix, x=0, y=y + 10, class_="execution"),
        element("rect", x=26, y=y, width=most, height=_BAR, class_="axis"),
        element(
            "rect",
            x=26,
            y=y,
            width=round(most * (confidence or 0), 1),
            height=_BAR,
            class_="failed" if moment.failed else "worked",
        ),
        element("text", text, x=_WIDTH - _VALUE + 6, y=y + 10, class_="value"),
    ]


def trend_chart(executions: Sequence[Execution]) -> Html:
    """Return each agent's confidence over the executions, in order of time, as one line for each agent."""
    agents = sorted(
        {moment.summary.agent_type for execution in executions for moment in execution.moments},
        key=lambda name: (name != CONSENSUS, name),
    )
    drawn: list[Html] = []
    y = 0
    for agent in agents:
        y += _LABEL
        drawn.append(element("text", agent[:_MOST_NAME], x=0, y=y - 5, class_="label"))
        drawn += _trend([execution.last(agent) for execution in executions], y)
        y += _LINE + _SPACE
    ends = (
        element("text", "#1", x=0, y=y + 8, class_="execution"),
        element("text", f"#{len(executions)}", x=_WIDTH - _VALUE, y=y + 8, text_anchor="end", class_="execution"),
    )
    title = element("title", "Confidence of each agent over the executions, from 0 to 1")
    height = max(y, 1) + _LABEL
    return element("svg", title, *drawn, *ends, viewBox=f"0 0 {_WIDTH} {height}", class_="chart", role="img")


def _trend(moments: Sequence[Moment | None], y: int) -> list[Html]:
    most = _WIDTH - _VALUE
    drawn = [element("rect", x=0, y=y, width=most, height=_LINE, class_="axis")]
    points: list[tuple[float, float]] = []
    text = "none"
    for index, moment in enumerate([*moments, None]):
        confidence = None if moment is None else moment.summary.confidence
        if confidence is None:  # the line ends where an execution has no confidence, and at the last one
            if len(points) > 1:
                drawn.append(element("polyline", points=" ".join(f"{x},{dot}" for x, dot in points), class_="line"))
            points = []
            continue
        x = round(4 + index / max(1, len(moments) - 1) * (most - 8), 1)
        points.append((x, round(y + _LINE - confidence * _LINE, 1)))
        kind = "failed" if moment is not None and moment.failed else "worked"
        drawn.append(element("circle", cx=x, cy=points[-1][1], r=2.5, class_=kind))
        text = f"{confidence:.2f}"
    return [*drawn, element("text", text, x=most + 6, y=y + _LINE - 5, class_="value")]
