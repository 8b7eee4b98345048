"""Compare what `enqueue` costs its caller with the alternatives: `python -m benchmarks.producer --help`."""

import sys
from collections.abc import Sequence
from typing import Final

from benchmarks.producer.latency import BLOCK, PAUSE, CallCounts
from benchmarks.producer.report import run, table
from benchmarks.support import command

QUICK: Final = CallCounts(warm_up=10, burst=20, isolated=5)
REPETITIONS: Final = 5
EPILOG: Final = f"""\
Each call is timed on its own (perf_counter_ns), in bursts (back to back) and isolated (one every {PAUSE * 1000:.0f} ms,
while the worker sleeps), after a warm-up and with the garbage collector on, as in production. Each figure is the median
of a percentile over the repetitions. The ratio compares blocks of {BLOCK} calls with as many of json.dumps just before
them, because the speed of a machine changes from one moment to the next.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return the exit code."""
    options = command.options(
        arguments,
        name="producer",
        description="Measure what handing over a 5 KB recommendation costs the caller.",
        epilog=EPILOG,
        quick="a few calls of each row",
    )
    report = run(1, QUICK) if options.quick else run(REPETITIONS)
    machine, recommendation = report["machine"], report["recommendation"]
    print(
        f"Python {machine['python']}, {machine['cpus']} CPUs, load {machine['load']:.1f}; a recommendation of "
        f"{recommendation['bytes']:,} bytes and {recommendation['leaves']} leaves; "
        f"repetitions: {report['repetitions']}"
    )
    print(table(report))
    command.write(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
