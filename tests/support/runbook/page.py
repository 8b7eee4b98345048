"""The runbook as the test reads it: sections, and their commands with the output that the page shows for them."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[3] / "docs" / "runbook.md"
ELSEWHERE: Final = "*Not run locally"  # begins the paragraph before a block that no local engine can run

_HEADING: Final = re.compile(r"#{2,3} (.+)")
_FENCE: Final = re.compile(r" *```(.*)")


@dataclass(frozen=True)
class Block:
    """The commands of one fence. `kind` is `bash`, `bash repeat` (until the output matches) or `bash production`."""

    line: int
    kind: str
    commands: str
    shown: str | None = None


@dataclass
class Section:
    """A heading of the second or third level, and everything below it."""

    title: str
    text: str = ""
    blocks: list[Block] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """The anchor that GitHub gives the heading."""
        return re.sub(r"[^\w\- ]", "", self.title.lower()).replace(" ", "-")


def read_sections(page: str) -> list[Section]:
    """Split the page into sections. A `text` fence is the output of the block before it."""
    sections = [Section("")]
    kind, inside, start = "", list[str](), 0
    for number, line in enumerate(page.splitlines(), start=1):
        fence = _FENCE.fullmatch(line)
        section = sections[-1]
        if fence and not kind:
            kind, inside, start = fence[1], [], number
        elif fence:
            content = _unindented(inside)
            if kind == "text":
                last = section.blocks.pop()
                section.blocks.append(Block(last.line, last.kind, last.commands, content))
            else:
                section.blocks.append(Block(start, kind, content))
            kind = ""
        elif kind:
            inside.append(line)
        elif heading := _HEADING.fullmatch(line):
            sections.append(Section(heading[1]))
        else:
            section.text += line + "\n"
    return sections


def _unindented(lines: list[str]) -> str:
    """Remove the indentation of a fence inside a list."""
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "".join(line[indent:] + "\n" for line in lines)


def agrees(shown: str, printed: str) -> bool:
    """Return whether an output matches the page: `…` stands for any text, or for any lines if alone on a line.

    Blank lines and column widths are ignored.
    """
    pattern = "".join(
        "(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*").replace(r"\ ", " ") + "\n"
        for line in _plain(shown)
    )
    return re.fullmatch(pattern, "".join(line + "\n" for line in _plain(printed))) is not None


def _plain(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]
