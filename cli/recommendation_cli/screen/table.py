"""The text tables of the CLI: aligned columns without rules, one line for each row.

`rich.table` takes nearly twice as long for a list of 1,000 recommendations, and cannot put a column on its own line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from rich.console import Console
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
        cells = [[_text(cell) for cell in row.cells] for row in (titles, *whole_rows)]
        self._widths = [
            max(width, min(max(cell.cell_len for cell in column_cells), column.most or self._console.width))
            for width, column, column_cells in zip(self._widths, self._columns, zip(*cells, strict=True), strict=True)
        ]
        lines = self._lines(cells)
        if not self._titled:
            _print_lines(self._console, lines[0], "dim")
            self._titled = True
        for row, row_lines in zip(whole_rows, lines[1:], strict=True):
            _print_lines(self._console, (*row.above, *row_lines, *row.below))

    def _lines(self, cells: Sequence[Sequence[Text]]) -> list[list[Text]]:
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
            grid.add_row(label, value)
            console.print(grid)
        else:
            console.print(Text.assemble(label, " " * _GAP, value), soft_wrap=True)


def _fold(cells: Sequence[Text], columns: Sequence[Column], widths: list[int], room: int) -> list[Text]:
    *others, last = cells
    _shrink(columns, widths, room)
    line = _join(others, columns, widths)
    return [line, Text(_INDENT).append_text(last)] if last else [line]


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


def _join(cells: Sequence[Text], columns: Sequence[Column], widths: Sequence[int]) -> Text:
    line = Text()
    for cell, column, width in zip(cells, columns, widths, strict=False):
        cell.truncate(width, overflow="ellipsis")
        padding = " " * (width - cell.cell_len)
        line = line.append(padding).append_text(cell) if column.right else line.append_text(cell).append(padding)
        line.append(" " * _GAP)
    return line


def _print_lines(console: Console, lines: Iterable[Text], style: str = "") -> None:
    for line in lines:
        line.rstrip()
        if console.color_system is None:  # without styles, there is no need for rich to look for them
            line.truncate(console.width, overflow="ellipsis")
            console.out(line.plain, highlight=False)
            continue
        console.print(line, style=style, no_wrap=True, overflow="ellipsis")


def _text(cell: Cell) -> Text:
    return cell.copy() if isinstance(cell, Text) else Text(cell)
