"""The table that the commands on dead letters share."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

_GAP: Final = "  "
_BELOW: Final = "    "


def print_table(console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int]) -> None:
    """Print rows in columns as wide as their cells; `right` are aligned so.

    Where a terminal is too narrow for all, the last column takes a line of its own.
    """
    cells = [list(map(Text, row)) for row in (titles, *rows)]
    widths = [max(cell.cell_len for cell in column) for column in zip(*cells, strict=True)]
    is_narrow = sum(widths) + len(_GAP) * (len(widths) - 1) > console.width
    for number, row in enumerate(cells):
        *columns, last = row
        for column, cell in enumerate(columns):
            if column in right:
                cell.pad_left(widths[column] - cell.cell_len)
            else:
                cell.pad_right(widths[column] - cell.cell_len)
        line = Text(_GAP).join(columns)
        lines = [line, Text(_BELOW).append_text(last)] if is_narrow else [line.append(_GAP).append_text(last)]
        for one in lines:
            one.rstrip()
            if one:
                console.print(one, style="dim" if number == 0 else "", no_wrap=True, overflow="ellipsis")
