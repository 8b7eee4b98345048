"""Charts of the page: SVG drawn on the server, without styles in it, as the report's are."""

from collections.abc import Sequence
from typing import Final

from recommendation_cli.report.markup import Html, element

_WIDTH: Final = 240  # units
_HEIGHT: Final = 36
_MARGIN: Final = 4


def course_chart(values: Sequence[float | None], title: str) -> Html:
    """Return values from 0 to 1 over a period, oldest first, as a line with gaps where there is none."""
    step = (_WIDTH - 2 * _MARGIN) / max(1, len(values) - 1)
    drawn: list[Html] = []
    line: list[tuple[float, float]] = []
    for index, value in enumerate([*values, None]):
        if value is None:
            if len(line) > 1:
                drawn.append(element("polyline", points=" ".join(f"{x},{y}" for x, y in line), class_="line"))
            line = []
            continue
        line.append((round(_MARGIN + index * step, 1), round(_HEIGHT - _MARGIN - value * (_HEIGHT - 2 * _MARGIN), 1)))
        drawn.append(element("circle", cx=line[-1][0], cy=line[-1][1], r=2.5, class_="worked"))
    return element(
        "svg",
        element("title", title),
        element("rect", x=0, y=0, width=_WIDTH, height=_HEIGHT, class_="ground"),
        *drawn,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        class_="course",
        role="img",
    )
