"""Compare what storing a recommendation costs with the usual ways: `python -m benchmarks.consumer --help`."""

import sys
from collections.abc import Sequence
from typing import Final

from benchmarks.consumer import cpu
from benchmarks.consumer.report import Scale, findings, run, table
from benchmarks.support import command

FULL: Final = Scale(cpu.Schedule(repetitions=5, batches=(20, 9, 1)), records=860, starts=11)
QUICK: Final = Scale(cpu.Schedule(repetitions=1, batches=(1, 0, 0)), records=50, starts=1)
EPILOG: Final = """\
Each row runs in its own process and handles the same events, taking turns with the others; a stub in another process
answers every request with success. CPU is user and system time of all threads from event to response. Each figure is
the median over the repetitions; each ratio is the median of the ratios within a repetition. Memory is what the process
uses beyond what it needed for a small batch, including the parsed event. "Few leaves" is an execution's simplest
output, lengthened to 5 KB; "many leaves" is a typical one; "prose only" is simpler than any recorded output of that
size.
"""


def _show_progress(phase: str, share: float) -> None:
    print(f"\r{phase:<6}{'█' * round(share * 40):<40}{share:4.0%}", end="" if share < 1 else "\n", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return the exit code."""
    options = command.options(
        arguments,
        name="consumer",
        description="Measure what storing a 5 KB recommendation costs in CPU, memory and start-up time.",
        epilog=EPILOG,
        quick="one batch of each kind",
    )
    progress = _show_progress if sys.stderr.isatty() else lambda _phase, _share: None
    report = run(QUICK if options.quick else FULL, progress)
    machine = report["machine"]
    print(f"Python {machine['python']}, {machine['cpus']} CPUs, load {machine['load']:.1f}")
    for kind, item in report["items"].items():
        print(f"{kind}: {item['leaves']} leaves in a body of {item['bytes']:,} bytes")
    print(f"\n{table(report)}\n\n{findings(report)}")
    command.write(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
