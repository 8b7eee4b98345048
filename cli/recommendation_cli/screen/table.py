"""The text tables of the CLI: aligned columns without rules, one line for each row.

`rich.table` takes several times as long for a long list, and cannot put a column on its own line. Where there are no
styles, as in a pipe, cells are plain text from the start: styled text takes three times as long.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.segment import Segment, Segments
from rich.table import Table as Grid
from rich.text import Text

_GAP: Final = 2  # cells between two columns
_INDENT: Final = "    "

Cell = str | Text
"""One line of text without control characters (see `recommendation_cli.screen.visible`)."""


class Column(NamedTuple):
    """A column as wide as its widest cell, within limits; longer cells end with an ellipsis."""

    title: str
    right: bool = False  # aligned to the right, as numbers are
    least: int | None = None  # cells to which it may shrink when the table is too wide; None: it keeps its width
    most: int | None = None  # cells
    keep: bool = False  # keeps its width while any other column has one


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row, and full lines to print above and below it."""

    cells: Sequence[Cell]
    above: Sequence[Text] = ()
    below: Sequence[Text] = ()


class Table:
    """A table that is printed part by part; later parts may widen its columns.

    Where it is too wide, the rightmost columns that may shrink do so first. `fold` prints the last column on a line
    below the others; None does so only where a part is too wide.
    """

    def __init__(self, console: Console, columns: Sequence[Column], *, fold: bool | None = False) -> None:
        self._console = console
        self._columns = columns
        self._fold = fold
        self._widths = [0] * len(columns)
        self._titled = False

    def print(self, rows: Iterable[Row | Sequence[Cell]]) -> None:
        """Print rows, below the titles if they are the first."""
        whole_rows = [row if isinstance(row, Row) else Row(row) for row in rows]
        titles = Row([column.title for column in self._columns])
        cells = [_shown(self._console, row.cells) for row in (titles, *whole_rows)]
        self._widths = [
            max(width, min(max(map(_width, column_cells)), column.most or self._console.width))
            for width, column, column_cells in zip(self._widths, self._columns, zip(*cells, strict=True), strict=True)
        ]
        title_lines, *lines = self._lines(cells)
        printed: list[Cell] = [] if self._titled else [Text.assemble(line, style="dim") for line in title_lines]
        for row, row_lines in zip(whole_rows, lines, strict=True):
            printed += (*row.above, *row_lines, *row.below)
        _print_lines(self._console, printed)
        self._titled = True

    def _lines(self, cells: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
        room, widths = self._console.width, list(self._widths)
        if self._fold or (self._fold is None and _total(widths) > room):
            return [_fold(row, self._columns, widths[:-1], room) for row in cells]
        _shrink(self._columns, widths, room)
        return [[_join(row, self._columns, widths)] for row in cells]


def print_table(
    console: Console, columns: Sequence[Column], rows: Iterable[Row | Sequence[Cell]], *, fold: bool | None = False
) -> None:
    """Print a whole table (see `Table`)."""
    Table(console, columns, fold=fold).print(rows)


def print_fields(
    console: Console, fields: Iterable[tuple[Cell, Cell]], *, indent: int = 0, label_width: int = 0
) -> None:
    """Print labels with their values, a pair on each line; long values wrap in their column, but not in a pipe.

    Labels are as wide as the widest of them, and at least `label_width` cells.
    """
    pairs = [(_text(label), _text(value)) for label, value in fields]
    width = max([label_width, *(label.cell_len for label, _ in pairs)])
    for label, value in pairs:
        label.pad_right(width - label.cell_len)
        label.pad_left(indent)
        if console.is_terminal:
            grid = Grid.grid(padding=(0, _GAP))
            grid.add_column(no_wrap=True)
            grid.add_column(overflow="fold")  # a URL is longer than a narrow terminal, and is to be read to its end
            grid.add_row(label, value)
            console.print(grid)
        else:
            console.print(Text.assemble(label, " " * _GAP, value), soft_wrap=True)


def _fold(cells: Sequence[Cell], columns: Sequence[Column], widths: list[int], room: int) -> list[Cell]:
    *others, last = cells
    _shrink(columns, widths, room)
    line = _join(others, columns, widths)
    if not last:
        return [line]
    below = Text.assemble(_INDENT, last)
    below.rstrip()
    return [line, below]


def _shrink(columns: Sequence[Column], widths: list[int], room: int) -> None:
    """Narrow the columns that may shrink, the rightmost first, until all fit; if that is not enough, the others too."""
    for index in reversed(range(len(widths))):
        least = columns[index].least
        if least is not None:
            _narrow(widths, index, least, room)
    for index in reversed(range(len(widths))):
        if not columns[index].keep:
            _narrow(widths, index, 1, room)


def _narrow(widths: list[int], index: int, least: int, room: int) -> None:
    widths[index] = max(min(least, widths[index]), widths[index] - max(0, _total(widths) - room))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _join(cells: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int]) -> Cell:
    parts = [
        _fitted(cell, width, right=column.right) for cell, column, width in zip(cells, columns, widths, strict=False)
    ]
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) == len(parts):
        return (" " * _GAP).join(texts).rstrip()
    line = Text(" " * _GAP).join(map(_text, parts))
    line.rstrip()
    return line


def _fitted(cell: Cell, width: int, *, right: bool) -> Cell:
    padding = width - _width(cell)
    if padding < 0:
        return _cut(cell, width)
    if isinstance(cell, str):
        return " " * padding + cell if right else cell + " " * padding
    return Text.assemble(" " * padding, cell) if right else Text.assemble(cell, " " * padding)


def _cut(cell: Cell, width: int) -> Cell:
    if isinstance(cell, str):
        return set_cell_size(cell, width - 1) + "…"
    shorter = cell.copy()
    shorter.truncate(width, overflow="ellipsis")
    return shorter


def _width(cell: Cell) -> int:
    if isinstance(cell, Text):
        return cell.cell_len
    return len(cell) if cell.isascii() else cell_len(cell)


def _print_lines(console: Console, lines: Iterable[Cell]) -> None:
    """Print whole lines at once, without letting rich wrap each of them."""
    room = console.width
    fitting = (line if _width(line) <= room else _cut(line, room) for line in _shown(console, lines))
    segments = [
        segment
        for line in fitting
        for segment in ([Segment(line + "\n")] if isinstance(line, str) else line.render(console, end="\n"))
    ]
    console.print(Segments(segments), crop=False)


def _shown(console: Console, cells: Iterable[Cell]) -> list[Cell]:
    """Return what of the cells the console shows: without styles, only their text."""
    if console.color_system is not None:
        return list(cells)
    return [cell.plain if isinstance(cell, Text) else cell for cell in cells]


def _text(cell: Cell) -> Text:
    return cell.copy() if isinstance(cell, Text) else Text(cell)
