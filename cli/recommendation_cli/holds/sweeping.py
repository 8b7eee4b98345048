"""Sweeping an incident until every recommendation is as a command wants it."""

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


def sweep(runtime: Runtime, records: Records, aim: Aim, verb: str) -> Swept:
    """Change what is not as it should be, once. `verb` is a past participle, such as `held`."""
    swept = Swept()
    with progress(runtime.environ, runtime.monotonic) as report:
        for item in records:
            swept.seen += 1
            wanted = aim(item)
            if wanted is None:
                swept.unclear += 1
            elif not is_as(item, wanted):
                records.change(item, wanted)  # if a consumer wrote it in the meantime, the next sweep sees it
                swept.changed += 1
            report(f"{verb} {swept.changed:,} of {plural(swept.seen, 'recommendation')}", swept.seen, None)
    return swept


def sweep_until_nothing_changes(runtime: Runtime, records: Records, aim: Aim, verb: str) -> Swept:
    """Sweep until there is nothing to change, at most ten times; return the last sweep."""
    swept = Swept()
    for _ in range(_MOST_SWEEPS):
        swept = sweep(runtime, records, aim, verb)
        if not swept.changed:
            break
    return swept
