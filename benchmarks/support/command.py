"""The command line of the comparative benchmarks: options, facts about the machine, and the report as a file."""

import argparse
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any


def options(
    arguments: Sequence[str] | None, *, name: str, description: str, epilog: str, quick: str
) -> argparse.Namespace:
    """Parse the command line of `python -m benchmarks.{name}`; `quick` says what --quick runs."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the report to FILE")
    parser.add_argument(
        "--quick", action="store_true", help=f"run {quick}, to see that it works; the figures mean nothing"
    )
    return parser.parse_args(arguments)


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """Return the facts that the figures depend on, with the versions of `packages`."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],  # over the last minute, including this run
        "packages": {name: version(name) for name in packages},
    }


def goal_line(name: str, figure: float, limit: float) -> str:
    """Return in words whether a figure is at most its limit."""
    return f"{'met   ' if figure <= limit else 'missed'}  {name}: {figure:,.2f} (goal: at most {limit:g})"


def write(report: Mapping[str, Any], path: Path | None) -> None:
    """Write the report as JSON if a path is given."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=1) + "\n")
