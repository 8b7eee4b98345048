"""Sweeping an incident until every recommendation is as a command wants it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from recommendation_cli.holds.records import Aim, Records, is_as
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import progress
from recommendation_shared.wording import plural

_MOST_SWEEPS: Final = 10


@dataclass(slots=True)
class Swept:
    """What one sweep saw: `seen` counts recommendations, `changed` what it changed or must look at again.

    `unclear` counts those of which it cannot derive what they should have.
    """

    seen: int = 0
    changed: int = 0
    unclear: int = 0


@dataclass(frozen=True)
class Sweeping:
    """Makes an incident's recommendations what a command wants. `verb` is a past participle, such as `held`.

    `make_sure` is called just before each change, and raises if the command is no longer what the incident needs.
    """

    runtime: Runtime
    records: Records
    aim: Aim
    verb: str
    make_sure: Callable[[], None]

    def once(self) -> Swept:
        """Change what is not as it should be, once."""
        swept = Swept()
        with progress(self.runtime.environ, self.runtime.monotonic) as report:
            for item in self.records:
                swept.seen += 1
                wanted = self.aim(item)
                if wanted is None:
                    swept.unclear += 1
                elif not is_as(item, wanted):
                    self.make_sure()
                    self.records.change(item, wanted)  # if a consumer wrote it in the meantime, the next sweep sees it
                    swept.changed += 1
                seen = plural(swept.seen, "recommendation")
                report(f"{self.verb} {swept.changed:,} of {seen}", swept.seen, None)
        return swept

    def until_nothing_changes(self) -> Swept:
        """Sweep until there is nothing to change, at most ten times; return the last sweep."""
        swept = Swept()
        for _ in range(_MOST_SWEEPS):
            swept = self.once()
            if not swept.changed:
                break
        return swept
