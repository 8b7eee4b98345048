"""What an erasure asks of each place that holds what was said about an incident."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from recommendation_cli.erasure.tombstone import Tombstone
from recommendation_cli.screen.progress import Report


class Found(NamedTuple):
    """What a place holds of the incident: how many, where, and on which days (UTC) its agents completed.

    `unclear` counts what mentions the incident, although it may belong to another: a person must decide.
    """

    total: int
    where: str = ""
    days: frozenset[str] = frozenset()
    unclear: int = 0


class Erased(NamedTuple):
    """How many were deleted, and for each kind of thing that is still there, a sentence with its remedy."""

    erased: int
    left: Sequence[str] = ()


class Place(Protocol):
    """One kind of thing in one place. Every method raises click's errors, each with its remedy."""

    @property
    def name(self) -> str:
        """The things, such as `dead letters`."""

    def find(self, report: Report) -> Found:
        """Count what there is, and change nothing."""

    def sweep(self, tombstone: Tombstone, report: Report) -> Erased:
        """Delete what there is, and count it in the mark; it may be interrupted and called again."""

    def unreachable(self) -> Sequence[str]:
        """Return a sentence about each kind of thing that this place can never delete."""
