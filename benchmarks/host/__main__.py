"""Compare what a host pays for this producer and for the alternatives: `python -m benchmarks.host --help`."""

import sys
from collections.abc import Sequence
from typing import Final

from benchmarks.host.report import goals, run, table
from benchmarks.support import command

REPETITIONS: Final = 7
EPILOG: Final = """\
Each figure is the median over fresh processes of a host on Python 3.13 that has imported boto3 and created a DynamoDB
client, with compiled byte code. Seven outputs of 5 KB go to a stub that answers after 5 ms. The environments are built
from benchmarks/host/locks on the first run. The ratios of the goals are medians, too, each taken within one process or
between two that ran in turn, because the speed of a machine changes from one moment to the next.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return the exit code."""
    options = command.options(
        arguments,
        name="host",
        description="Measure what a host pays for handing over seven recommendations of 5 KB.",
        epilog=EPILOG,
        quick="every row once",
    )
    report = run(1 if options.quick else REPETITIONS)
    machine = report["machine"]
    print(
        f"Hosts on Python {machine['subjects']}, {machine['cpus']} CPUs, load {machine['load']:.1f}; "
        f"repetitions: {report['repetitions']}; import boto3: {report['import_boto3_ms']:.0f} ms of CPU; the share of "
        f"the processor is held by {report['held_by']}"
    )
    print(table(report))
    print(f"\nImport and construction without byte code, as in a layer: {report['uncompiled_ms']:.0f} ms of CPU\n")
    for name, figure, limit in goals(report):
        print(command.goal_line(name, figure, limit))
    command.write(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
