"""Frequencies and ages in words."""

from typing import Final

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def times(count: int) -> str:
    """Return how often something happened: `once`, or `3 times`."""
    return "once" if count == 1 else f"{count:,} times"


def age(seconds: float) -> str:
    """Return an age in its two largest units, such as `3d 4h`."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for unit, size in _UNITS:
        count, rest = divmod(left, size)
        if count or parts or size == 1:
            parts.append(f"{count}{unit}")
            left = rest
        if len(parts) == 2:  # noqa: PLR2004 - see the docstring
            break
    return " ".join(part for part in parts if part[0] != "0" or len(parts) == 1)
