"""The runbook as the test reads it: sections, and in each the commands with what they are said to print."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[3] / "docs" / "runbook.md"
ELSEWHERE: Final = "*Not run locally"  # what the paragraph before a block says that no local engine can run

_HEADING: Final = re.compile(r"#{2,3} (.+)")
_FENCE: Final = re.compile(r" *```(.*)")


@dataclass(frozen=True)
class Block:
    """Commands of one fence. `kind` is `bash`, `bash repeat` (until it prints what is shown) or `bash production`."""

    line: int
    kind: str
    commands: str
    shown: str | None = None
    reason: str = ""  # the paragraph before, for a block of production


@dataclass
class Section:
    """A heading of the second or third level, and what stands below it."""

    title: str
    text: str = ""
    blocks: list[Block] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """The heading as GitHub's links name it."""
        return re.sub(r"[^\w\- ]", "", self.title.lower()).replace(" ", "-")


def read_sections(page: str) -> list[Section]:
    """Divide the page. A `text` fence is what the block before it prints."""
    sections = [Section("")]
    kind, inside, start, paragraph = "", list[str](), 0, ""
    for number, line in enumerate(page.splitlines(), start=1):
        fence = _FENCE.fullmatch(line)
        section = sections[-1]
        if fence and not kind:
            kind, inside, start = fence[1], [], number
        elif fence:
            content = _unindented(inside)
            if kind == "text":
                last = section.blocks.pop()
                section.blocks.append(Block(last.line, last.kind, last.commands, content, last.reason))
            else:
                section.blocks.append(Block(start, kind, content, reason=paragraph))
            kind = ""
        elif kind:
            inside.append(line)
        elif heading := _HEADING.fullmatch(line):
            sections.append(Section(heading[1]))
        else:
            section.text += line + "\n"
            paragraph = line if line.strip() else paragraph
    return sections


def _unindented(lines: list[str]) -> str:
    """Remove the indentation of a fence that stands in a list."""
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "".join(line[indent:] + "\n" for line in lines)


def agrees(shown: str, printed: str) -> bool:
    """Tell whether an output is what the page shows: `…` stands for anything, alone on a line for any lines.

    Blank lines and the width of columns do not count.
    """
    pattern = "".join(
        "(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*").replace(r"\ ", " ") + "\n"
        for line in _plain(shown)
    )
    return re.fullmatch(pattern, "".join(line + "\n" for line in _plain(printed))) is not None


def _plain(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]
