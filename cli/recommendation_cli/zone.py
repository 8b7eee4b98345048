"""The user's time zone. A zone that does not exist is an error: the C library silently takes it for UTC."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from recommendation_cli.screen.visible import visible

# POSIX's own notation: a name, an offset and perhaps daylight saving, such as CET-1CEST or <+03>-3.
_POSIX: Final = re.compile(r"(<[\w+-]{3,}>|[A-Za-z]{3,})[+-]?\d{1,2}(:\d\d){0,2}\S*", re.ASCII)


def local_zone(environ: Mapping[str, str]) -> Callable[[datetime], datetime]:
    """Return what converts times to the user's zone; it raises a usage error when `TZ` names no zone."""
    zone = environ.get("TZ", "").removeprefix(":")

    def localise(time: datetime) -> datetime:
        if zone and not _exists(zone):
            raise click.UsageError(
                f"TZ={visible(zone)} is not a time zone: use a name such as America/Santiago, or unset TZ."
            )
        return time.astimezone()

    return localise


def _exists(zone: str) -> bool:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    if _POSIX.fullmatch(zone):
        return True
    if Path(zone).is_absolute():
        return Path(zone).is_file()
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # no such name, an impossible one, or the name of a folder
        return not available_timezones()  # a machine without a time zone database cannot tell
    return True
