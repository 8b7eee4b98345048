"""How verdicts look on a terminal: a row for each agent, and below it one for each confidence that it often stated."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from recommendation_cli.calibration.judged import FEW, Judged, Stated
from recommendation_cli.calibration.track_record import TrackRecord, bin_name
from recommendation_cli.calibration.words import DISSENTS, EXPLAINED, dissents_text, measured_texts, verdicts_text
from recommendation_cli.screen.table import Cell, Column, print_table
from recommendation_cli.screen.visible import visible

_MEASURED: Final = (
    Column("judged", right=True),
    Column("helpful", right=True),
    Column("95 %", right=True),
    Column("Brier", right=True),
    Column("confidence is"),
)
_AGENT: Final = Column("agent", least=12, most=40)
_STYLES: Final = {"overconfident": "yellow", "underconfident": "yellow", "too few": "dim"}
_MOST_IDS: Final = 3  # of an agent; -o json has all of them


def print_track_records(
    console: Console,
    agents: Iterable[tuple[str, TrackRecord]],
    groups: Iterable[tuple[tuple[str, str, str], TrackRecord]],
    everything: TrackRecord,
    count: int,
) -> None:
    """Print what people said about each agent and each group, and how well their confidence foretold it.

    A group is an agent's type, version and model. `count` is how many recommendations there are, with and without a
    verdict.
    """
    _print_words(console, [verdicts_text(everything, count), EXPLAINED])
    rows: list[Sequence[Cell]] = []
    by_agent = [(agent, track) for agent, track in agents if track.verdicts]
    for agent, track in by_agent:
        rows += _rows(visible(agent), track, least=FEW)
    rows += _rows("all", everything, least=1)
    console.print()
    print_table(console, (_AGENT, Column("stated", right=True), *_MEASURED), rows)
    console.print()
    versions = [
        [visible(agent), visible(version), *_cells(track.judged, track.stated), visible(model)]
        for (agent, version, model), track in groups
        if track.verdicts
    ]
    columns = (_AGENT, Column("version", least=7, most=24), *_MEASURED, Column("model", least=8))
    print_table(console, columns, versions, fold=None)
    _print_words(console, list(_dissents(by_agent)))


def _print_words(console: Console, lines: Sequence[str]) -> None:
    if lines:
        console.print()
    for line in lines:
        console.print(Text(line, style="dim"), soft_wrap=not console.is_terminal)


def _rows(label: str, track: TrackRecord, *, least: int) -> Iterator[Sequence[Cell]]:
    """Yield a row for the whole, and one for each bin that holds at least so many."""
    stated = "none" if track.stated.confidence is None else f"{track.stated.confidence:.2f}"
    yield label, stated, *_cells(track.judged, track.stated)
    for number, sums in reversed(list(enumerate(track.bins))):
        if sums.count >= least:
            yield "", bin_name(number), *_cells(sums, sums)


def _dissents(agents: Iterable[tuple[str, TrackRecord]]) -> Iterator[str]:
    """Yield who disagreed with the consensus, and the newest recommendations that were right."""
    dissenting = [(agent, track) for agent, track in agents if track.dissents.count]
    if dissenting:
        yield DISSENTS
        for agent, track in dissenting:
            yield f"  {dissents_text(visible(agent), track.dissents)}"
            ids = track.dissents.right_ids
            yield from (f"    {visible(identity)}" for identity in ids[:_MOST_IDS])
            if len(ids) > _MOST_IDS:
                yield f"    and {len(ids) - _MOST_IDS:,} more: see -o json"


def _cells(judged: Judged, stated: Stated) -> tuple[Cell, ...]:
    finding = stated.finding
    return (
        *measured_texts(judged, stated),
        "" if finding is None else Text(finding, style=_STYLES.get(finding, "")),
    )
