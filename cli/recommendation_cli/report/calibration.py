"""What people said about the agents' advice, as a chart and a table; `recs ui` shows the same over a period."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from recommendation_cli.calibration.judged import FEW, Judged, Stated
from recommendation_cli.calibration.track_record import BINS, TrackRecord, bin_name
from recommendation_cli.calibration.words import DISSENTS, EXPLAINED, dissents_text, measured_texts, verdicts_text
from recommendation_cli.report.markup import Child, Html, column_table, element, fragment
from recommendation_cli.stats.collect import Tallies
from recommendation_shared.envelope.vocabulary import CONSENSUS

_WIDTH: Final = 400  # units, as in the other charts
_LEFT: Final = 54  # units for the confidence
_RIGHT: Final = 72  # units for the counts
_SCALE: Final = _WIDTH - _LEFT - _RIGHT
_ROW: Final = 24
_BAR: Final = 14
_LEGEND: Final = (
    "Each row has what was said with one confidence: the box is where the share that helped should lie, the dot where"
    f" it lies, and the line its 95 % interval. A hollow dot is of fewer than {FEW}, which are too few to tell; a red"
    " one is of what was overconfident."
)
# Each title, and whether its column is shown on phones too.
_COLUMNS: Final = (
    ("judged", True),
    ("helpful", True),
    ("95 %", False),
    ("confidence", False),
    ("Brier", False),
    ("confidence is", True),
)


def judged_html(tallies: Tallies, href: Callable[[str], str]) -> Html | None:
    """Return what people said about the recommendations that were added up; None if nobody said anything.

    `href` returns the link to a recommendation.
    """
    everything, count = tallies.everything.track, tallies.everything.count
    if not everything.verdicts:
        return None
    agents = sorted(tallies.agents.items(), key=lambda entry: (entry[0] == CONSENSUS, entry[0]))
    by_agent = [(agent, tally.track) for agent, tally in agents if tally.track.verdicts]
    rows = (_cells(agent, track.judged, track.stated) for agent, track in [*by_agent, ("all", everything)])
    chart = (calibration_chart(everything), element("p", _LEGEND, class_="dim")) if everything.stated.count else ()
    return fragment(
        element("p", verdicts_text(everything, count)),
        *chart,
        column_table((("agent", True), *_COLUMNS), rows, "totals"),
        *_versions(tallies),
        element("p", EXPLAINED, class_="dim"),
        *_dissents(by_agent, href),
    )


def _versions(tallies: Tallies) -> Iterator[Html]:
    """Yield a table of versions and models, if an agent was judged with several."""
    groups = [(group, tally.track) for group, tally in sorted(tallies.groups.items()) if tally.track.verdicts]
    if len(groups) > len({group.agent_type for group, _ in groups}):
        rows = (_cells(" · ".join(filter(None, group)), track.judged, track.stated) for group, track in groups)
        yield column_table((("version and model", True), *_COLUMNS), rows, "totals")


def _dissents(by_agent: Sequence[tuple[str, TrackRecord]], href: Callable[[str], str]) -> Iterator[Html]:
    """Yield who disagreed with the consensus, with links to the recommendations that were right."""
    entries = []
    for agent, track in by_agent:
        if track.dissents.count:
            links = [element("a", identity, href=href(identity)) for identity in track.dissents.right_ids]
            rights = element("ul", *(element("li", link) for link in links)) if links else ""
            entries.append(element("li", dissents_text(agent, track.dissents), rights))
    if entries:
        yield element("p", DISSENTS)
        yield element("ul", *entries)


def calibration_chart(track: TrackRecord) -> Html:
    """Return how much helped of what was said with each confidence, the highest at the top."""
    drawn: list[Html] = []
    y = 0
    for number, sums in reversed(list(enumerate(track.bins))):
        if sums.count:
            drawn += _row(number, sums, y)
            y += _ROW
    scale = [
        element("text", text, x=_position(value), y=y + 10, text_anchor=anchor, class_="execution")
        for value, text, anchor in ((0, "0", "start"), (0.5, "half helped", "middle"), (1, "all", "end"))
    ]
    title = element("title", "How much helped of what was said with each confidence")
    return element("svg", title, *drawn, *scale, viewBox=f"0 0 {_WIDTH} {y + 16}", class_="chart", role="img")


def _row(number: int, sums: Stated, y: int) -> Iterator[Html]:
    middle = y + _BAR / 2
    interval, share = sums.interval, sums.share or 0.0
    counts = f"{sums.helpful:g} of {sums.count:,}"
    yield element("text", bin_name(number), x=0, y=y + 11, class_="label")
    yield element("rect", x=_LEFT, y=middle - 1, width=_SCALE, height=2, class_="axis")
    yield element("rect", x=_position(number / BINS), y=y, width=round(_SCALE / BINS, 1), height=_BAR, class_="target")
    if interval is not None:
        ends = (f"{_position(end)},{middle}" for end in interval)
        yield element("polyline", points=" ".join(ends), class_="line")
    kind = "few" if sums.finding == "too few" else "failed" if sums.finding == "overconfident" else "worked"
    yield element("circle", cx=_position(share), cy=middle, r=4, class_=kind)
    yield element("text", counts, x=_WIDTH, y=y + 11, text_anchor="end", class_="value")


def _position(share: float) -> float:
    return round(_LEFT + share * _SCALE, 1)


def _cells(label: str, judged: Judged, stated: Stated) -> Sequence[Child]:
    count, share, interval, brier = measured_texts(judged, stated)
    finding = stated.finding or ""
    return (
        label,
        count,
        share,
        interval,
        "" if stated.confidence is None else f"{stated.confidence:.2f}",
        brier,
        element("span", finding, class_="dim" if finding == "too few" else "warn" if "over" in finding else None),
    )
