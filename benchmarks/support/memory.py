"""Resident memory over a long run, and the part of the run in which it has to stay flat. Linux only."""

from collections.abc import Callable, Sequence
from pathlib import Path
from resource import getpagesize
from typing import Final, TypeVar

WARM_UP: Final = 0.2  # share of a run in which buffers fill up and the allocator settles
MEBIBYTE: Final = 1024 * 1024

_Sample = TypeVar("_Sample")


def resident_bytes() -> int:
    """Return the resident set size of this process (proc(5), statm)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


def after_warm_up(samples: Sequence[_Sample], position: Callable[[_Sample], int], end: int) -> Sequence[_Sample]:
    """Return the samples after the warm-up; `position` says how far the run was, `end` how far it went."""
    return [sample for sample in samples if position(sample) >= WARM_UP * end]


def growth(sizes: Sequence[int]) -> int:
    """Return the bytes between the first size and the largest."""
    return max(sizes) - sizes[0]
