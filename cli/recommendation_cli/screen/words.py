"""Ages and numbers in words."""

from typing import Final

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def age(seconds: float) -> str:
    """Return an age in its two largest units, such as `3d 4h`."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for name, size in _UNITS:
        count, rest = divmod(left, size)
        if count or parts or size == 1:
            parts.append(f"{count}{name}")
            left = rest
        if len(parts) == 2:  # noqa: PLR2004 - see the docstring
            break
    return " ".join(part for part in parts if part[0] != "0" or len(parts) == 1)


def counted(number: int) -> str:
    """Return a number of dead letters in words."""
    return "1 dead letter" if number == 1 else f"{number} dead letters"


def times(number: int) -> str:
    """Return how often something was done in words."""
    return "once" if number == 1 else f"{number} times"
