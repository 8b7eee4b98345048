"""Sweeping all places, once or until nothing more is found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from recommendation_cli.erasure.places import Erased, Place
from recommendation_cli.erasure.tombstone import Tombstone
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import progress

_MOST_SWEEPS: Final = 10


@dataclass
class Sweeping:
    """Deletes from places, and counts by their names what this run has deleted."""

    runtime: Runtime
    places: Sequence[Place]
    tombstone: Tombstone
    erased: dict[str, int] = field(default_factory=dict)

    def once(self) -> Erased:
        """Delete what there is in all places."""
        erased, left = 0, list[str]()
        with progress(self.runtime.environ, self.runtime.monotonic) as report:
            for place in self.places:
                swept = place.sweep(self.tombstone, report)
                self.erased[place.name] = self.erased.get(place.name, 0) + swept.erased
                erased += swept.erased
                left += swept.left
        return Erased(erased, left)

    def until_nothing_is_found(self) -> Sequence[str]:
        """Sweep until a sweep deletes nothing more, at most ten times; return what is left."""
        for _ in range(_MOST_SWEEPS):
            swept = self.once()
            if not swept.erased:
                return swept.left
        return [*swept.left, f"whatever still arrives: {_MOST_SWEEPS} sweeps in a row found more."]
