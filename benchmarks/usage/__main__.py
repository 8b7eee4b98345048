"""Measure what an incident uses of AWS, and write the profile that `recs cost` computes with.

The incident's seven recommendations go through the real producer and the real consumer; a proxy in front of local
engines counts billed requests and consumed write units. Logs, metrics and CPU time come from the consumer's process.
"""

import argparse
import json
import sys

from benchmarks.usage.measurement import INVOCATIONS, UsageError
from benchmarks.usage.profile import SHIPPED, profile, table
from infra.local.dynalite import DynaliteError
from infra.paths import ROOT


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.usage", description=__doc__)
    parser.add_argument(
        "--invocations",
        type=int,
        default=INVOCATIONS,
        metavar="N",
        help=f"per size, for the median CPU time (default: {INVOCATIONS})",
    )
    parser.add_argument("--write", action="store_true", help=f"replace {SHIPPED.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    try:
        measured = profile(options.invocations)
    except (DynaliteError, UsageError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    print(table(measured))
    if options.write:
        SHIPPED.write_text(json.dumps(measured, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
